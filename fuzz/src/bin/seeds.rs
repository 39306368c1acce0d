//! Writes the first inputs of every target to `corpus/`, made from the project's `datafiles/`.
//!
//! Must not know what the targets assert.

use std::fs;
use std::path::Path;

use variate_fuzz::seeds;

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (target, inputs) in seeds::all() {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder)?;
        for (name, input) in &inputs {
            fs::write(folder.join(format!("seed-{name}")), input)?;
        }
        println!("{target}: {} seeds in {}", inputs.len(), folder.display());
    }
    Ok(())
}
