//! Every recorded answer, and what its call makes of it.

use bytes::Bytes;
use punch_erp::erpnext::{
    CreateCheckin, Created, ErpNext, FindCheckins, GetCheckin, ListEmployees, LoggedUser, NewCheckin, Resource,
};
use punch_erp::{CallError, Endpoint as _, Evidence, HttpResponse};

use crate::recorded::{Recorded, error};
use crate::world::settings;

fn read(call: &str, response: &HttpResponse) -> Result<String, CallError> {
    let site = ErpNext::new(settings("Asia/Dhaka")).unwrap();
    let time = "2026-11-10T09:00:00".parse().unwrap();
    Ok(match call {
        "create" => {
            let row = NewCheckin::new("0a1b", "HR-EMP-00001", time);
            match CreateCheckin::new(&site, row, Resource::V2).response(response)? {
                Created::Stored { checkin, .. } => {
                    assert_eq!((checkin.time, checkin.creation.is_some()), (time, true));
                    "stored".to_owned()
                }
                Created::NameTaken => "name_taken".to_owned(),
                Created::Duplicate => "duplicate".to_owned(),
                Created::NoSuchResource => "no_such_resource".to_owned(),
                other => panic!("{other:?}"),
            }
        }
        "get" => match GetCheckin::new(&site, "0a1b").response(response)? {
            Some(_) => "found".to_owned(),
            None => "nothing".to_owned(),
        },
        "find" => FindCheckins::new(&site, "HR-EMP-00001", time).response(response)?.len().to_string(),
        "employees" => ListEmployees::new(&site).response(response)?.len().to_string(),
        "user" => LoggedUser::new(&site).response(response)?,
        other => panic!("no call `{other}`"),
    })
}

#[test]
fn recorded_answers() {
    for line in include_str!("../data/erpnext-answers.jsonl").lines() {
        let recorded: Recorded = serde_json::from_str(line).unwrap();
        let got = read(&recorded.call, &recorded.response()).unwrap_or_else(error);
        assert_eq!(got, recorded.expected, "{}", recorded.id);
    }
}

/// No beginning of an answer panics, and what is not understood is kept, but not for ever.
#[test]
fn cut_answers() {
    for line in include_str!("../data/erpnext-answers.jsonl").lines() {
        let recorded: Recorded = serde_json::from_str(line).unwrap();
        let whole = recorded.response();
        for end in 0..whole.body().len() {
            let (parts, body) = whole.clone().into_parts();
            let cut = HttpResponse::from_parts(parts, body.slice(..end));
            if let Err(error) = read(&recorded.call, &cut) {
                assert_eq!(error.evidence().status(), recorded.status);
                assert_eq!(error.evidence().body(), cut.body());
            }
        }
    }
    let evidence = Evidence::of(&HttpResponse::new(Bytes::from(vec![b'x'; 100_000])));
    assert_eq!((evidence.body().len(), evidence.body_len()), (2048, 100_000));
}
