/// What may be done with a key to the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyScope {
    /// Look at everything but keys.
    Read,
    /// That, and change everything but keys.
    Write,
    /// Everything.
    Admin,
    /// Look at attendance and reports of it, and at the terminals and sites it is of: for whoever inspects working time.
    Inspector,
}

impl KeyScope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Admin, Self::Inspector];

    /// The words for them, in their order.
    pub const WORDS: [&'static str; 4] = ["read", "write", "admin", "inspector"];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
            Self::Inspector => "inspector",
        }
    }

    /// The one with this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }

    /// Whether a call may be made. `reads` is whether it changes nothing.
    pub fn allows(self, reads: bool, path: &str) -> bool {
        let is_under =
            |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        match self {
            Self::Admin => true,
            Self::Write => !is_under("/v1/api-keys"),
            Self::Read => reads && !is_under("/v1/api-keys"),
            Self::Inspector => {
                let roots = ["/v1/attendance", "/v1/sites", "/v1/devices", "/v1/reports"];
                reads && roots.into_iter().any(is_under)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::KeyScope;

    #[test]
    fn a_scope_allows_what_it_says() {
        let calls = [
            (true, "/v1/attendance"),
            (true, "/v1/attendance/evt_1"),
            (true, "/v1/attendances"),
            (true, "/v1/employees"),
            (false, "/v1/attendance/evt_1/direction"),
            (false, "/v1/devices/T1/commands"),
            (true, "/v1/api-keys"),
            (false, "/v1/api-keys/1"),
            (true, "/v1/reports/daily"),
        ];
        let allowed = |scope: KeyScope| calls.map(|(reads, path)| scope.allows(reads, path));
        assert_eq!(allowed(KeyScope::Admin), [true; 9]);
        assert_eq!(allowed(KeyScope::Write), [true, true, true, true, true, true, false, false, true]);
        assert_eq!(allowed(KeyScope::Read), [true, true, true, true, false, false, false, false, true]);
        assert_eq!(allowed(KeyScope::Inspector), [true, true, false, false, false, false, false, false, true]);
        assert_eq!(KeyScope::ALL.map(KeyScope::as_str), KeyScope::WORDS);
        assert!(KeyScope::WORDS.iter().all(|word| KeyScope::of(word).is_some()));
    }
}
