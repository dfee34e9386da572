//! A gateway whose certificate leads to a root of one's own.

use std::net::{Ipv4Addr, SocketAddr};

use agent::{Forwarder, ForwarderError, Outcome};
use gateway::api::ApiKey;
use gateway::config::{Config, KeyFiles, TlsConfig};

use crate::harness::{KEY, serial};

/// A root, and a certificate of it for this machine with its key, all in PEM.
fn authority() -> (String, String, String) {
    let (root_key, key) = (rcgen::KeyPair::generate().unwrap(), rcgen::KeyPair::generate().unwrap());
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = parameters.self_signed(&root_key).unwrap();
    let issuer = rcgen::Issuer::new(parameters, root_key);
    let leaf = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    (root.pem(), leaf.pem(), key.serialize_pem())
}

#[tokio::test]
async fn rows_go_to_a_gateway_whose_certificate_leads_to_the_root_that_was_given_and_to_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (root, certificate, key) = authority();
    let pair = KeyFiles { cert_file: folder.path().join("gateway.pem"), key_file: folder.path().join("gateway.key") };
    std::fs::write(&pair.cert_file, certificate).unwrap();
    std::fs::write(&pair.key_file, key).unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let gateway = gateway::start(Config {
        device_addr: any,
        api_addr: any,
        api_tls: Some(TlsConfig { pairs: vec![pair] }),
        store: gateway::store::Place::File(folder.path().join("punch.sqlite")),
        api_key: Some(ApiKey::new(KEY.to_owned())),
        ..Config::default()
    })
    .await
    .unwrap();
    let url = format!("https://localhost:{}", gateway.api_addr.port());
    let forwarder = || Forwarder::new(&url, &ApiKey::new(KEY.to_owned())).unwrap();
    // The terminal is not approved; who is asked has to be the gateway to say so.
    let asked = async |forwarder: Forwarder| forwarder.post(&serial("T1"), &[]).await;
    let trusting = forwarder().trusting(root.as_bytes()).unwrap();
    assert!(matches!(asked(trusting).await, Outcome::Refused(refusal) if refusal.status == 409));
    let (stranger, ..) = authority();
    for forwarder in [forwarder(), forwarder().trusting(stranger.as_bytes()).unwrap()] {
        let outcome = asked(forwarder).await;
        assert!(matches!(&outcome, Outcome::Retry { trouble, .. } if trouble.contains("certificate")), "{outcome:?}");
    }
    for wrong in ["", "no PEM"] {
        assert!(matches!(forwarder().trusting(wrong.as_bytes()), Err(ForwarderError::Roots)), "{wrong}");
    }
}
