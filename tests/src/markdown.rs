//! Fenced blocks of a page.

/// A fenced block: what its fence says, and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What stands behind the fence.
    pub info: String,
    /// The lines between the fences.
    pub lines: Vec<String>,
}

/// The fenced blocks of a page, in order.
///
/// # Panics
/// When one is not closed.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        match line.trim_start().strip_prefix("```") {
            Some(info) if !is_inside => found.push(Block { info: info.trim().to_owned(), lines: Vec::new() }),
            None if is_inside => found.last_mut().expect("a block").lines.push(line.to_owned()),
            _ => {}
        }
        is_inside ^= line.trim_start().starts_with("```");
    }
    assert!(!is_inside, "a block is not closed");
    found
}
