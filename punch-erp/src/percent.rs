use alloc::string::String;
use alloc::vec::Vec;
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

/// What an escaped value of a query or a form stands for. What is no escape is left as it is.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        match (byte, escaped(behind)) {
            (b'%', Some(escaped)) => {
                bytes.push(escaped);
                rest = behind.get(2..).unwrap_or_default();
            }
            (byte, _) => {
                bytes.push(if byte == b'+' { b' ' } else { byte });
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The byte that two hexadecimal digits stand for.
fn escaped(text: &[u8]) -> Option<u8> {
    let digits = text.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u8::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()
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

    #[test]
    fn what_was_escaped_comes_back() {
        let mut url = String::new();
        push_encoded(&mut url, "a b&c=d#é\"+~_.-/%");
        assert_eq!(decoded(&url), "a b&c=d#é\"+~_.-/%");
        assert_eq!(decoded("a+b%2"), "a b%2");
    }
}
