//! The command `variate`.

fn main() {}
