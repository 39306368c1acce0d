//! Every file of `datafiles/broken` gives the findings (or the refusal) written beside it, and what is
//! whole in it still works. `VARIATE_UPDATE=1` writes them anew.

use std::path::Path;

use variate::datafile::Datafile;

#[test]
fn faults_give_their_findings_and_cost_nothing_else() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("datafiles/broken");
    #[expect(clippy::disallowed_methods, reason = "says whether to rewrite the expectations")]
    let is_update = std::env::var_os("VARIATE_UPDATE").is_some();
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).expect("the folder of broken datafiles") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        seen += 1;
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let found = outcome(&name, &std::fs::read(&path).expect("a datafile"));
        let beside = path.with_extension("findings.txt");
        if is_update {
            std::fs::write(&beside, &found).expect("the findings are written");
        }
        let expect = std::fs::read_to_string(&beside).unwrap_or_default();
        assert_eq!(found, expect, "{name}: run with VARIATE_UPDATE=1 if this is meant");
    }
    assert!(seen >= 40, "only {seen} broken datafiles were found");
}

fn outcome(name: &str, text: &[u8]) -> String {
    let compiled = match Datafile::compile(text) {
        Ok(compiled) => compiled,
        Err(error) => {
            assert!(name.starts_with("refused-"), "{name} was refused: {error}");
            assert!(error.is_datafile());
            return format!("{error}\n");
        }
    };
    assert!(!name.starts_with("refused-"), "{name} was accepted");
    assert!(!compiled.findings.is_empty(), "{name} has no fault");
    let healthy = compiled.datafile.experiment_by_key("healthy").expect("the healthy experiment");
    assert!(healthy.is_running(), "{name}");
    assert_eq!(healthy.variations().len(), 2, "{name}");
    assert_eq!(healthy.allocation().ranges().len(), 2, "{name}");
    compiled.findings.iter().map(|finding| format!("{finding}\n")).collect()
}
