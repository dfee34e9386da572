//! Configuration.

use punch_erp::erpnext::{DeviceIdField, ErpNext, ErpNextSettings, UnknownDirection};

use crate::world::settings;

#[test]
fn every_error_at_once() {
    let mut bad = ErpNextSettings::new("http://erp.example.com", "", "se cret", "Asia/Daka");
    let errors = ErpNext::new(bad.clone()).unwrap_err();
    let found: Vec<_> = errors.iter().map(|error| (error.key(), error.code())).collect();
    assert_eq!(
        found,
        [("base", "PE-CONF-003"), ("key", "PE-CONF-001"), ("secret", "PE-CONF-004"), ("zone", "PE-CONF-005"),]
    );
    assert_eq!(errors.to_string().lines().count(), 4);
    bad.allow_http = true;
    assert_eq!(ErpNext::new(bad).unwrap_err().iter().count(), 3);
}

#[test]
fn bases() {
    for (base, accepted) in [
        ("https://erp.example.com", true),
        ("https://erp.example.com:8443/", true),
        ("https://example.com/erp", true),
        ("http://localhost:8000", true),
        ("http://127.0.0.1:8000", true),
        ("http://[::1]:8000", true),
        ("http://localhost.example.com", false),
        ("http://erp.local", false),
        ("", false),
        ("erp.example.com", false),
        ("/api", false),
        ("ftp://erp.example.com", false),
        ("https://user:pass@erp.example.com", false),
        ("https://erp.example.com?x=1", false),
        ("https://erp.example.com/#top", false),
        ("https://erp example.com", false),
        ("https://", false),
    ] {
        let mut settings = settings("UTC");
        settings.base = base.into();
        assert_eq!(ErpNext::new(settings).is_ok(), accepted, "{base}");
    }
}

#[test]
fn from_a_file() {
    let text = r#"{"base":"https://erp.example.com","key":"k","secret":"s","zone":"Asia/Dhaka"}"#;
    let plain: ErpNextSettings = serde_json::from_str(text).unwrap();
    let site = ErpNext::new(plain).unwrap();
    assert_eq!((site.unknown_direction(), site.device_id()), (UnknownDirection::Omit, DeviceIdField::EventId));
    let text = r#"{"base":"https://erp.example.com","key":"k","secret":"s","zone":"UTC",
                   "unknown_direction":"out","device_id":"serial","allow_http":true}"#;
    let site = ErpNext::new(serde_json::from_str(text).unwrap()).unwrap();
    assert_eq!((site.unknown_direction(), site.device_id()), (UnknownDirection::Out, DeviceIdField::Serial));
    let unknown = r#"{"base":"https://erp.example.com","key":"k","secret":"s","zone":"UTC","zon":"UTC"}"#;
    assert!(serde_json::from_str::<ErpNextSettings>(unknown).unwrap_err().to_string().contains("zon"));
}
