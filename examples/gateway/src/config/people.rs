use std::collections::BTreeSet;

use punch_protocol::{Pin, SerialNumber};

use super::section::Section;
use crate::core::{Bound, Clash, Identity, Register, Scope, Shifts, Validity};

/// Reads an `[[employee]]` entry: a person, and the PINs they have there and then.
pub(super) fn employee(root: &mut Section, mut section: Section) -> Vec<Identity> {
    let badge = section.required("badge", "the PIN as the terminal sends it, quoted: `\"0042\"`");
    let badge = badge.and_then(|text| pin(&mut section, "badge", &text));
    let id = section.text("id");
    if id.as_ref().is_some_and(|id| id.trim().is_empty()) {
        section.complain("id", "is empty, expected a key that stays the person's; or leave it out".to_owned());
    }
    let name = section.text("name");
    let scope = scope(&mut section);
    let validity = validity(&mut section);
    let aliases = section.texts("aliases").unwrap_or_default();
    if id.is_none() && !aliases.is_empty() {
        section.complain("aliases", "needs `id`, which says that all of these are one person".to_owned());
    }
    let aliases: Vec<_> = aliases.iter().filter_map(|text| pin(&mut section, "aliases", text)).collect();
    let shifts = section.texts("shifts").unwrap_or_default();
    root.absorb(section);
    let pins = badge.into_iter().chain(aliases);
    let known = |pin| Identity {
        pin,
        id: id.clone(),
        name: name.clone(),
        scope: scope.clone(),
        validity,
        shifts: shifts.clone(),
    };
    pins.map(known).collect()
}

fn pin(section: &mut Section, key: &str, text: &str) -> Option<Pin<'static>> {
    match Pin::parse_text(text) {
        Ok(pin) if !pin.is_empty() => Some(pin.into_owned()),
        Ok(_) => {
            section.complain(key, "is empty, expected the PIN as the terminal sends it".to_owned());
            None
        }
        Err(error) => {
            section.complain(key, error.to_string());
            None
        }
    }
}

fn scope(section: &mut Section) -> Scope {
    let serial = section.text("device").and_then(|text| {
        SerialNumber::parse(&text).map_err(|error| section.complain("device", error.to_string())).ok()
    });
    match (serial, section.text("site")) {
        (None, None) => Scope::Tenant,
        (None, Some(site)) => Scope::Site(site),
        (Some(serial), None) => Scope::Device(serial),
        (Some(serial), Some(_)) => {
            section.complain("site", "is beside `device`, which has a site; keep one of them".to_owned());
            Scope::Device(serial)
        }
    }
}

fn validity(section: &mut Section) -> Validity {
    let expected = "a day such as `2026-03-02`, or a moment with its offset such as `2026-03-02T06:00:00-06:00`";
    let mut bound = |key| section.dated::<Bound>(key, expected);
    let validity = Validity { from: bound("valid_from"), to: bound("valid_to") };
    if validity.is_empty() {
        section.complain("valid_to", "is before `valid_from`; it is the last day, or the moment of the end".to_owned());
    }
    validity
}

/// Looks whether a row could be of two people, and whether everybody's shifts exist. `people` has an item per entry.
pub(super) fn check(root: &mut Section, people: &[Vec<Identity>], shifts: &Shifts) {
    let mut register = Register::default();
    let names = shifts.names();
    for (number, identities) in (1usize..).zip(people) {
        let clashes: BTreeSet<String> = identities
            .iter()
            .filter_map(|identity| Some(explain(identity, register.add(identity.clone()).err()?, people)))
            .collect();
        for clash in clashes {
            // A PIN names a person, so only the entry's place is told.
            root.complain("employee.badge", format!("entry {number} {clash}"));
        }
        for shift in identities.iter().take(1).flat_map(|identity| &identity.shifts) {
            if !names.contains(shift.as_str()) {
                let known = names.iter().copied().collect::<Vec<_>>().join(", ");
                let problem = format!("`{shift}` is the `name` of no `[[shift]]`, expected some of: {known}");
                root.complain(&format!("employee[{number}].shifts"), problem);
            }
        }
    }
    let (keys, badges): (BTreeSet<String>, BTreeSet<String>) =
        people.iter().flatten().map(|identity| (identity.person(), identity.pin.to_text().into_owned())).unzip();
    if shifts.people().any(|person| badges.contains(person) && !keys.contains(person)) {
        root.complain("shift.people", "names a badge of somebody who has an `id`; name the `id`".to_owned());
    }
}

fn explain(identity: &Identity, clash: Clash, people: &[Vec<Identity>]) -> String {
    let clashes = |known: &Identity| match clash {
        Clash::Taken => known.overlaps(identity),
        Clash::Unnamed => known.pin == identity.pin && known.id.is_none(),
    };
    let earlier = people.iter().position(|known| known.iter().any(clashes)).map_or(1, |index| index.saturating_add(1));
    match clash {
        Clash::Taken => format!(
            "repeats entry {earlier}: the same badge, place and time; keep one of them, or let one end by `valid_to`"
        ),
        Clash::Unnamed => format!(
            "has the badge of entry {earlier}, and neither has an `id`; give each its own, or both the same if it is one person"
        ),
    }
}
