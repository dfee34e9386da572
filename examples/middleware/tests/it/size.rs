//! S0-002: the glue for one ERP is short.

#[test]
fn each_example_program_has_at_most_forty_lines() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin");
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!((5..=40).contains(&lines), "{}: {lines} lines", file.display());
        seen += 1;
    }
    assert!(seen >= 1, "no program in {folder}");
}
