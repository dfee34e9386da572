//! Configuration.

use punch_erp::odoo::{Odoo, OdooSettings, Protocol, UnknownDirection};

use super::world::settings;

#[test]
fn every_error_at_once() {
    let mut bad = OdooSettings::new("http://odoo.example.com", "", "", "pass ");
    bad.badge_field.clear();
    let errors = Odoo::new(bad).unwrap_err();
    let found: Vec<_> = errors.iter().map(|error| (error.key(), error.code())).collect();
    let expected = [
        ("base", "PE-CONF-003"),
        ("database", "PE-CONF-001"),
        ("user", "PE-CONF-001"),
        ("badge_field", "PE-CONF-001"),
        ("secret", "PE-CONF-004"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn secrets() {
    for (secret, is_accepted) in [
        ("key", true),
        ("pass word:with all", true),
        ("pässwörd", true),
        ("", false),
        (" key", false),
        ("key\n", false),
        ("k\u{0}y", false),
    ] {
        let mut settings = settings();
        settings.secret = secret.into();
        assert_eq!(Odoo::new(settings).is_ok(), is_accepted, "{secret:?}");
    }
}

#[test]
fn from_a_file() {
    let text = r#"{"base":"https://odoo.example.com/","database":"d","user":"u","secret":"s"}"#;
    let odoo = Odoo::new(serde_json::from_str(text).unwrap()).unwrap();
    assert_eq!((odoo.protocol(), odoo.badge_field()), (None, "barcode"));
    assert_eq!(odoo.pairing().lookback, chrono::TimeDelta::hours(14));
    let text = r#"{"base":"https://odoo.example.com","database":"d","user":"u","secret":"s","protocol":"json2",
                   "badge_field":"x_id","unknown_direction":"out","lookback_minutes":960,"chatter":true}"#;
    let settings: OdooSettings = serde_json::from_str(text).unwrap();
    assert_eq!(settings.unknown_direction, UnknownDirection::Out);
    assert!(settings.chatter);
    let odoo = Odoo::new(settings).unwrap();
    assert_eq!((odoo.protocol(), odoo.badge_field()), (Some(Protocol::Json2), "x_id"));
    assert_eq!(odoo.pairing().lookback, chrono::TimeDelta::hours(16));
    let unknown = r#"{"base":"https://odoo.example.com","database":"d","user":"u","secret":"s","pass":"x"}"#;
    assert!(serde_json::from_str::<OdooSettings>(unknown).unwrap_err().to_string().contains("pass"));
}
