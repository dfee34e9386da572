//! Configuration.

use punch_erp::humand::{Humand, HumandSettings, InferUnknown, OnViolation, PathStyle};
use punch_erp::{ConfigErrors, Endpoint as _};

use super::world::{KEY, settings};

fn found(errors: &ConfigErrors) -> Vec<(&'static str, &'static str)> {
    errors.iter().map(|error| (error.key(), error.code())).collect()
}

/// Field, problem and cure of each, all at once.
#[test]
fn every_error_at_once() {
    let mut bad = settings();
    bad.base = "http://humand.example.com".to_owned();
    bad.api_key = "".into();
    (bad.path_style, bad.clock_in_url) = (PathStyle::Custom, "humand.example.com/in".to_owned());
    bad.time_zone = "America/Buenos".to_owned();
    bad.rate_per_minute = 0;
    let errors = Humand::new(bad).unwrap_err();
    assert_eq!(
        found(&errors),
        [
            ("base", "PE-CONF-003"),
            ("clock_in_url", "PE-CONF-002"),
            ("clock_out_url", "PE-CONF-001"),
            ("api_key", "PE-CONF-001"),
            ("time_zone", "PE-CONF-005"),
            ("rate_per_minute", "PE-CONF-006"),
        ]
    );
    assert_eq!(errors.to_string().lines().count(), 6);
    assert!(errors.to_string().ends_with("`rate_per_minute` is 0, expected 1 to 50; leave it out for the default"));
}

/// S3-007: the token goes out as it is; `Basic ` before it is dropped, and said to have been.
#[test]
fn keys() {
    for (key, sent, is_dropped) in [
        (KEY, Some(KEY), false),
        ("Basic abc", Some("abc"), true),
        ("basic abc", Some("abc"), true),
        ("aWQ6a2V5==", Some("aWQ6a2V5=="), false),
        ("id:key", Some("id:key"), false),
        ("a b", Some("a b"), false),
        ("Basic", Some("Basic"), false),
        ("BasicBasic", Some("BasicBasic"), false),
        ("Basic ", None, true),
        ("", None, false),
        ("abc\n", None, false),
        (" abc", None, false),
        ("a\r\nb", None, false),
        ("clé", None, false),
    ] {
        match (Humand::new(HumandSettings::new(key)), sent) {
            (Ok(humand), Some(sent)) => {
                let request = punch_erp::humand::ListUsers::new(&humand, 1).request();
                assert_eq!(request.headers()["authorization"], format!("Basic {sent}"));
                assert_eq!(humand.scheme_was_dropped(), is_dropped, "{key}");
            }
            (Err(errors), None) => assert_eq!(errors.iter().next().unwrap().key(), "api_key", "{key}"),
            (Ok(_), None) => panic!("`{key}` was accepted"),
            (Err(errors), Some(_)) => panic!("`{key}`: {errors}"),
        }
    }
}

#[test]
fn from_a_file() {
    let plain: HumandSettings = serde_json::from_str(r#"{"api_key":"k"}"#).unwrap();
    assert_eq!(plain.base, "https://api-prod.humand.co/public/api/v1");
    assert_eq!((plain.path_style, plain.rate_per_minute), (PathStyle::Entries, 45));
    let humand = Humand::new(plain).unwrap();
    let rules = humand.alternation();
    assert_eq!((rules.on_violation, rules.infer_unknown), (OnViolation::Park, InferUnknown::Park));
    let text = r#"{"base_url":"https://humand.example.com/v1/","api_key":"k","path_style":"seed","employee_id_as_number":true,
                   "time_zone":"America/Argentina/Buenos_Aires","on_violation":"fix","infer_unknown":"alternate",
                   "reorder_window_s":300,"rate_per_minute":30}"#;
    let humand = Humand::new(serde_json::from_str(text).unwrap()).unwrap();
    let rules = humand.alternation();
    assert_eq!((rules.on_violation, rules.infer_unknown), (OnViolation::Fix, InferUnknown::Alternate));
    assert_eq!(rules.reorder_window.num_seconds(), 300);
    let unknown = serde_json::from_str::<HumandSettings>(r#"{"api_key":"k","rate":1}"#).unwrap_err();
    assert!(unknown.to_string().contains("rate"));
}
