use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use punch_erp::Mapping;

/// Reads a table of badges from a file.
///
/// # Errors
///
/// The file cannot be read, or a line of it is wrong: the text names the file and the lines.
pub fn read_mapping(path: &Path) -> anyhow::Result<Arc<Mapping>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the table of badges {shown}"))?;
    Ok(Arc::new(Mapping::parse(&text).with_context(|| format!("the table of badges {shown}"))?))
}
