//! When certificates expire, so that somebody is told before clients are.

use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use tokio_rustls::rustls::sign::CertifiedKey;

/// How long before a certificate expires that is told, in the log, in `/status` and on the dashboard: 30 days.
pub(crate) const EXPIRES_SOON: TimeDelta = TimeDelta::days(30);

/// When the first of these, or of those that lead to their roots, expires. `None` if none of them says so.
pub(super) fn expiry(keys: &[Arc<CertifiedKey>]) -> Option<DateTime<Utc>> {
    keys.iter().flat_map(|key| &key.cert).filter_map(|certificate| not_after(certificate)).min()
}

/// What a certificate (RFC 5280) has as `notAfter`.
fn not_after(certificate: &[u8]) -> Option<DateTime<Utc>> {
    let (tag, mut fields) = value(&mut value(&mut &*certificate)?.1)?;
    if tag != SEQUENCE {
        return None;
    }
    // The version may be left out; then come serial number, algorithm, issuer, and the validity.
    if fields.first() == Some(&VERSION) {
        value(&mut fields)?;
    }
    for _ in 0..3 {
        value(&mut fields)?;
    }
    let (_, mut validity) = value(&mut fields)?;
    value(&mut validity)?;
    let (tag, text) = value(&mut validity)?;
    time(tag, core::str::from_utf8(text).ok()?)
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xA0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

fn time(tag: u8, text: &str) -> Option<DateTime<Utc>> {
    let whole = match tag {
        // Two digits of a year are from 1950 to 2049.
        UTC_TIME if text.get(..2)?.parse::<u8>().ok()? >= 50 => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    Some(NaiveDateTime::parse_from_str(&whole, "%Y%m%d%H%M%SZ").ok()?.and_utc())
}

/// Takes the next value off some DER: its tag and what is in it.
fn value<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&tag, after) = rest.split_first()?;
    let (&first, after) = after.split_first()?;
    let (length, after) = if first < 0x80 {
        (usize::from(first), after)
    } else {
        let (digits, after) = after.split_at_checked(usize::from(first & 0x7F))?;
        let length = digits
            .iter()
            .try_fold(0_usize, |length, digit| length.checked_mul(256)?.checked_add(usize::from(*digit)))?;
        (length, after)
    };
    let (content, after) = after.split_at_checked(length)?;
    *rest = after;
    Some((tag, content))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Datelike as _, Utc};

    use super::{not_after, time};

    #[test]
    fn a_certificate_says_when_it_expires() {
        let key = rcgen::KeyPair::generate().unwrap();
        for year in [2026, 2049, 2050, 9999] {
            let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
            parameters.not_after = rcgen::date_time_ymd(year, 3, 28);
            let certificate = parameters.self_signed(&key).unwrap();
            let expires = not_after(certificate.der()).unwrap();
            assert_eq!((expires.year(), expires.month(), expires.day()), (year, 3, 28));
            for cut in 0..certificate.der().len() {
                assert!(not_after(&certificate.der()[..cut]).is_none(), "cut at {cut}");
            }
        }
    }

    #[test]
    fn years_of_two_digits_are_those_of_the_standard_and_nonsense_is_nothing() {
        let at = |text: &str| Some(text.parse::<DateTime<Utc>>().unwrap());
        assert_eq!(time(0x17, "491231235959Z"), at("2049-12-31T23:59:59Z"));
        assert_eq!(time(0x17, "500101000000Z"), at("1950-01-01T00:00:00Z"));
        assert_eq!(time(0x18, "20500101000000Z"), at("2050-01-01T00:00:00Z"));
        for (tag, text) in [(0x17, ""), (0x17, "é1231235959Z"), (0x18, "20501301000000Z"), (0x16, "491231235959Z")] {
            assert_eq!(time(tag, text), None, "{text}");
        }
        assert_eq!(not_after(&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]), None);
        assert_eq!(not_after(&[0x30, 0xFF]), None);
    }
}
