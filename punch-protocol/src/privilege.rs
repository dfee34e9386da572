use crate::named::named_numbers;

/// What a user may do at the terminal: `Pri` of attendance units, `privilege` of access units.
///
/// Access units use 0 and 14, and may use 2 and 6, with the same meaning.
///
/// ```
/// use punch_protocol::push::Privilege;
///
/// assert_eq!(Privilege(14), Privilege::SUPER_ADMINISTRATOR);
/// assert_eq!(Privilege(3).to_string(), "privilege 3");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct Privilege(pub u16);

named_numbers! { Privilege(u16), "privilege":
    0 USER "user"
    2 ENROLLER "enroller"
    6 ADMINISTRATOR "administrator"
    10 CUSTOM "custom role"
    14 SUPER_ADMINISTRATOR "super administrator"
}
