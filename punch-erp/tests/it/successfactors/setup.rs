//! Configuration.

use punch_erp::successfactors::{
    Auth, BreakFallback, EmployeeField, Mode, SuccessFactors, SuccessFactorsSettings, TypeCodes,
};

use super::world::settings;

fn errors(settings: SuccessFactorsSettings) -> Vec<(&'static str, &'static str)> {
    let errors = SuccessFactors::new(settings).unwrap_err();
    errors.iter().map(|error| (error.key(), error.code())).collect()
}

#[test]
fn every_error_at_once() {
    let mut bad =
        SuccessFactorsSettings::new("https://api55.sapsf.eu/odata", "P 10", "").with_ias("http://ias", "", " s", "");
    bad.codes.unknown = Some("a-code-of-21-letters-".to_owned());
    (bad.time_zone, bad.time_type) = ("Berlin".to_owned(), "x".repeat(129));
    (bad.flush_interval_s, bad.daily_call_cap, bad.max_open_hours) = (0, 0, 0);
    bad.duplicate_texts = vec![" ".to_owned()];
    let expected = [
        ("api_server", "PE-CONF-002"),
        ("ias_url", "PE-CONF-003"),
        ("ias_client_id", "PE-CONF-001"),
        ("ias_client_secret", "PE-CONF-004"),
        ("ias_dependency", "PE-CONF-001"),
        ("codes.in", "PE-CONF-008"),
        ("codes.out", "PE-CONF-001"),
        ("codes.unknown", "PE-CONF-008"),
        ("time_zone", "PE-CONF-008"),
        ("time_type", "PE-CONF-008"),
        ("flush_interval_s", "PE-CONF-008"),
        ("daily_call_cap", "PE-CONF-008"),
        ("max_open_hours", "PE-CONF-008"),
        ("duplicate_texts", "PE-CONF-008"),
    ];
    assert_eq!(errors(bad), expected);
}

#[test]
fn servers() {
    for (server, is_accepted) in [
        ("https://api55.sapsf.eu", true),
        ("https://api4.successfactors.com/", true),
        ("https://sandbox.api.sap.com/sapsuccessfactorstimetracking", false),
        ("http://127.0.0.1:8080", true),
        ("http://api55.sapsf.eu", false),
        ("", false),
        ("https://user:pass@api55.sapsf.eu", false),
        ("https://api55.sapsf.eu?x=1", false),
    ] {
        let mut settings = settings();
        settings.api_server = server.to_owned();
        assert_eq!(SuccessFactors::new(settings).is_ok(), is_accepted, "{server}");
    }
}

/// Each way of logging in needs its own settings, and each mode.
#[test]
fn ways_in() {
    let plain = || SuccessFactorsSettings::new("https://api55.sapsf.eu", "P10", "P20");
    let missing = |key| vec![(key, "PE-CONF-001")];
    assert_eq!(errors(plain().with_saml("", "KEY123")), missing("company_id"));
    assert_eq!(errors(plain().with_saml("ACME", "")), missing("saml_client_id"));
    assert!(SuccessFactors::new(plain().with_saml("ACME", "KEY123")).is_ok());
    let mut bearer = plain();
    bearer.auth = Auth::BearerCommand;
    assert!(SuccessFactors::new(bearer).is_ok());

    let mut basic = plain().with_basic("us:er", "", "");
    assert_eq!(errors(basic.clone()), [("auth", "PE-CONF-007")]);
    basic.force_basic = true;
    let expected = [("user", "PE-CONF-004"), ("company_id", "PE-CONF-001"), ("password", "PE-CONF-001")];
    assert_eq!(errors(basic), expected);

    let mut seed = plain().with_basic("api-user", "tuCompanyId", "api-password");
    seed.mode = Mode::Seed;
    assert_eq!(errors(seed.clone()), [("mode", "PE-CONF-007")]);
    // The sample has its own codes.
    (seed.force_basic, seed.codes) = (true, TypeCodes::default());
    assert!(SuccessFactors::new(seed).is_ok());

    let mut external = settings();
    (external.mode, external.codes) = (Mode::ExternalTimeData, TypeCodes::default());
    assert_eq!(errors(external.clone()), missing("time_type"));
    external.time_type = "WORKING_TIME".to_owned();
    assert!(SuccessFactors::new(external).is_ok());
}

#[test]
fn from_a_file() {
    let text = r#"{"api_server":"https://api55.sapsf.eu","ias_url":"https://acme.accounts.ondemand.com","ias_client_id":"c",
                   "ias_client_secret":"s","ias_dependency":"SF-EC-TA","codes":{"in":"P10","out":"P20"}}"#;
    let settings: SuccessFactorsSettings = serde_json::from_str(text).unwrap();
    assert_eq!((settings.break_fallback, settings.employee_field), (BreakFallback::InOut, EmployeeField::Badge));
    assert_eq!((settings.time_zone.as_str(), settings.send_terminal_id), ("device", true));
    let tenant = SuccessFactors::new(settings).unwrap();
    assert_eq!((tenant.mode(), tenant.auth()), (Mode::TimeEvents, Auth::Ias));
    assert_eq!(tenant.call_rules(), punch_erp::successfactors::CallRules::default());
    let unknown = text.replace("\"codes\"", "\"cods\"");
    assert!(serde_json::from_str::<SuccessFactorsSettings>(&unknown).unwrap_err().to_string().contains("cods"));
    let unknown = text.replace("\"out\"", "\"aus\"");
    assert!(serde_json::from_str::<SuccessFactorsSettings>(&unknown).unwrap_err().to_string().contains("aus"));
}
