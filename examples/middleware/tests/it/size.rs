//! S0-002, S0-003: the glue for one ERP is short, and there is some for each.

#[test]
fn each_example_program_has_at_most_forty_lines() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin");
    let mut seen = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!((5..=40).contains(&lines), "{}: {lines} lines", file.display());
        seen.push(file.file_stem().unwrap().to_string_lossy().into_owned());
    }
    seen.sort();
    assert_eq!(seen, ["erpnext", "hikcentral_humand", "hrms", "humand", "odoo", "successfactors"]);
}
