use alloc::string::String;
use core::fmt::Write as _;

/// Appends `text` with everything escaped but RFC 3986's unreserved characters, so that no value of a field can end
/// its field: `7"7`, `a&b`, `a#b` and `10+01` arrive as they are.
pub(crate) fn push_encoded(url: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_can_end_its_field() {
        let mut url = String::from("?q=");
        push_encoded(&mut url, "a b&c=d#é\"+~_.-/%");
        assert_eq!(url, "?q=a%20b%26c%3Dd%23%C3%A9%22%2B~_.-%2F%25");
    }
}
