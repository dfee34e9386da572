//! TLS at both listeners: by the kind of key the client knows, renewed while it runs, and beside plain HTTP.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use chrono::Datelike as _;
use gateway::config::{Config, KeyFiles, TlsConfig};
use gateway::core::Networks;
use punch_protocol::push::Terminal;
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, Verify};
use rcgen::{CertifiedKey, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm};
use serde_json::Value;
use simulator::terminal::{Behaviour, Happening, run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{CipherSuite, ClientConfig, RootCertStore, SupportedCipherSuite};

use crate::harness::{API_KEY, Answer, PATIENCE, Site, Visitor, eventually, exchange};

/// Writes a certificate for this machine and its key, and says where.
fn certificate(folder: &Path, name: &str, algorithm: &'static SignatureAlgorithm) -> KeyFiles {
    certificate_until(folder, name, algorithm, "4096-01-01T00:00:00Z".parse().unwrap())
}

/// The same, good until a day.
fn certificate_until(
    folder: &Path,
    name: &str,
    algorithm: &'static SignatureAlgorithm,
    until: chrono::DateTime<chrono::Utc>,
) -> KeyFiles {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let [month, day] = [until.month(), until.day()].map(|number| u8::try_from(number).unwrap());
    parameters.not_after = rcgen::date_time_ymd(until.year(), month, day);
    let CertifiedKey { cert, signing_key } =
        CertifiedKey { cert: parameters.self_signed(&key).unwrap(), signing_key: key };
    let files =
        KeyFiles { cert_file: folder.join(format!("{name}.pem")), key_file: folder.join(format!("{name}.key")) };
    std::fs::write(&files.cert_file, cert.pem()).unwrap();
    std::fs::write(&files.key_file, signing_key.serialize_pem()).unwrap();
    files
}

/// A gateway that speaks TLS at both listeners, with an ECDSA and an RSA certificate, and plain HTTP to terminals too.
async fn site(folder: &Path) -> (Site, TlsConfig) {
    let pairs =
        vec![certificate(folder, "ecdsa", &PKCS_ECDSA_P256_SHA256), certificate(folder, "rsa", &PKCS_RSA_SHA256)];
    let tls = TlsConfig { pairs };
    let given = tls.clone();
    let site = Site::start(move |config| {
        config.device_tls = Some((SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), given.clone()));
        config.api_tls = Some(given);
    })
    .await;
    (site, tls)
}

/// A client that believes these certificates and offers these suites.
fn client(believes: &[&KeyFiles], offers: impl Fn(&SupportedCipherSuite) -> bool) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for files in believes {
        roots.add(CertificateDer::from_pem_file(&files.cert_file).unwrap()).unwrap();
    }
    let all = aws_lc_rs::default_provider();
    let cipher_suites = all.cipher_suites.iter().filter(|suite| offers(suite)).copied().collect();
    let provider = CryptoProvider { cipher_suites, ..all };
    let versions = ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions();
    versions.unwrap().with_root_certificates(roots).with_no_client_auth()
}

/// Shakes hands and says which certificate was shown.
async fn shown(addr: SocketAddr, client: ClientConfig) -> Result<Vec<u8>, String> {
    let stream = TcpStream::connect(addr).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let shaking = tokio::time::timeout(PATIENCE, TlsConnector::from(Arc::new(client)).connect(name, stream));
    let stream = shaking.await.unwrap().map_err(|error| error.to_string())?;
    Ok(stream.get_ref().1.peer_certificates().unwrap()[0].to_vec())
}

fn der(files: &KeyFiles) -> Vec<u8> {
    CertificateDer::from_pem_file(&files.cert_file).unwrap().to_vec()
}

fn api(site: &Site, files: &KeyFiles) -> reqwest::Client {
    let certificate = reqwest::Certificate::from_pem(&std::fs::read(&files.cert_file).unwrap()).unwrap();
    assert!(site.gateway.api_is_tls);
    reqwest::Client::builder().tls_certs_only([certificate]).build().unwrap()
}

async fn status(site: &Site, http: &reqwest::Client) -> Value {
    let url = format!("https://{}/status", site.gateway.api_addr);
    let answer = http.get(url).bearer_auth(API_KEY).send().await.unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

fn is_12(suite: &SupportedCipherSuite) -> bool {
    matches!(suite, SupportedCipherSuite::Tls12(_))
}

#[tokio::test]
async fn a_client_gets_the_certificate_whose_key_it_knows() {
    let folder = tempfile::tempdir().unwrap();
    let (site, tls) = site(folder.path()).await;
    let [ecdsa, rsa] = [&tls.pairs[0], &tls.pairs[1]];
    let rsa_only = |suite: &SupportedCipherSuite| {
        let known =
            [CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384];
        known.contains(&suite.suite())
    };
    for addr in [site.gateway.device_tls_addr.unwrap(), site.gateway.api_addr] {
        let both = [ecdsa, rsa];
        assert_eq!(shown(addr, client(&both, |_| true)).await.unwrap(), der(ecdsa), "the first that fits");
        assert_eq!(shown(addr, client(&both, is_12)).await.unwrap(), der(ecdsa), "TLS 1.2");
        assert_eq!(shown(addr, client(&both, rsa_only)).await.unwrap(), der(rsa), "an old client");
        let stranger = certificate(folder.path(), "stranger", &PKCS_ECDSA_P256_SHA256);
        assert!(shown(addr, client(&[&stranger], |_| true)).await.unwrap_err().contains("certificate"));
    }
    let counted = async || {
        let url = format!("https://{}/metrics", site.gateway.api_addr);
        let text = api(&site, ecdsa).get(url).send().await.unwrap().text().await.unwrap();
        text.lines().find_map(|line| {
            line.strip_prefix("punch_tls_handshakes_failed_total{offered=\"TLS 1.2 or newer\"} ")?.parse::<u64>().ok()
        })
    };
    eventually("failed handshakes are counted", async || counted().await.filter(|count| *count >= 2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_delivers_over_tls_beside_one_in_plain_http() {
    let folder = tempfile::tempdir().unwrap();
    let (site, tls) = site(folder.path()).await;
    let serial = SerialNumber::parse("T1").unwrap();
    let secure = format!("https://localhost:{}", site.gateway.device_tls_addr.unwrap().port());
    for (number, server) in [secure, format!("http://{}", site.gateway.device_addr)].into_iter().enumerate() {
        let (sender, happenings) = mpsc::channel(8);
        for minute in 0..3 {
            let day = u32::try_from(number).unwrap() + 2;
            let time = chrono::NaiveDate::from_ymd_opt(2026, 3, day).unwrap().and_hms_opt(8, minute * 5, 0).unwrap();
            let mut punch = RawPunch::new(serial.clone(), Pin::new(b"1001").into_owned(), time);
            (punch.status, punch.verify) = (Some(Status::CHECK_IN), Some(Verify::FACE));
            sender.send(Happening::Punch(Box::new(punch))).await.unwrap();
        }
        drop(sender);
        let mut behaviour = Behaviour::new(server);
        behaviour.ca_file = Some(tls.pairs[0].cert_file.clone());
        let achieved = run(Terminal::new(serial.clone()), behaviour, happenings).await.unwrap();
        assert_eq!((achieved.acknowledged, achieved.refused), (3, 0), "{achieved:?}");
    }
    assert_eq!(site.fates().await.len(), 6);
}

/// A load balancer says whose the connection is and passes the TLS of the client on as it is.
#[tokio::test]
async fn a_proxy_says_whose_a_connection_is_before_tls() {
    let folder = tempfile::tempdir().unwrap();
    let files = certificate(folder.path(), "ecdsa", &PKCS_ECDSA_P256_SHA256);
    let tls = TlsConfig { pairs: vec![files.clone()] };
    let site = Site::start(move |config| {
        config.device_tls = Some((SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), tls));
        config.trusted_proxies = Networks::parse(&["127.0.0.1"]).unwrap();
        config.devices[0].allow = Some(Networks::parse(&["192.0.2.0/24"]).unwrap());
    })
    .await;
    let upload = async |preface: &str| {
        let mut stream = TcpStream::connect(site.gateway.device_tls_addr.unwrap()).await.unwrap();
        stream.write_all(preface.as_bytes()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(client(&[&files], |_| true)));
        let mut stream = connector.connect(name, stream).await.unwrap();
        let row = "7\t2026-03-28 08:47:12\t0\t1\n";
        let head = format!("POST /iclock/cdata?SN=T1&table=ATTLOG HTTP/1.0\r\nContent-Length: {}\r\n\r\n", row.len());
        stream.write_all(&[head, row.to_owned()].concat().into_bytes()).await.unwrap();
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        Answer::of(&answer).body
    };
    assert_eq!(upload("PROXY TCP4 192.0.2.9 10.0.0.1 56324 8443\r\n").await, "OK: 1");
    assert_ne!(upload("PROXY TCP4 203.0.113.9 10.0.0.1 56324 8443\r\n").await, "OK: 1");
    assert_ne!(upload("").await, "OK: 1", "the proxy itself is none of its networks");
}

/// Production 2: firmware that ends at TLS 1.0 shows nothing, so it has to be seen here.
#[tokio::test]
async fn a_client_that_ends_at_tls_10_is_refused_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (site, tls) = site(folder.path()).await;
    let hello = [&[3, 1][..], &[7; 32], &[0, 0, 2, 0, 0x2f, 1, 0]].concat();
    let length = u8::try_from(hello.len()).unwrap();
    let record = [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &hello].concat();
    let answer = exchange(site.gateway.device_tls_addr.unwrap(), &record).await;
    // A fatal alert.
    assert_eq!((answer.first(), answer.get(5)), (Some(&21), Some(&2)), "{answer:?}");
    let url = format!("https://{}/metrics", site.gateway.api_addr);
    let metrics = api(&site, &tls.pairs[0]).get(url).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("punch_tls_handshakes_failed_total{offered=\"TLS 1.0\"} 1"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_renewed_without_a_restart_and_a_bad_one_is_told_and_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let (site, tls) = site(folder.path()).await;
    let (files, addr) = (&tls.pairs[0], site.gateway.device_tls_addr.unwrap());
    let first = der(files);
    let http = api(&site, files);
    assert_eq!(status(&site, &http).await["data"]["tls"]["device"]["reloads"], 0);
    let kept = std::fs::read(&files.cert_file).unwrap();
    // The new certificate without its key, as half of a renewal is.
    let renewed = certificate(folder.path(), "renewed", &PKCS_ECDSA_P256_SHA256);
    std::fs::copy(&renewed.cert_file, &files.cert_file).unwrap();
    let told = eventually("the problem is told", async || {
        let told = status(&site, &http).await["data"]["tls"]["device"]["problem"].clone();
        told.as_str().map(ToOwned::to_owned)
    })
    .await;
    assert!(told.contains("ecdsa.key") && !told.contains("PRIVATE"), "{told}");
    std::fs::write(&files.cert_file, kept).unwrap();
    assert_eq!(shown(addr, client(&[files], |_| true)).await.unwrap(), first, "the one before it is used on");
    std::fs::copy(&renewed.cert_file, &files.cert_file).unwrap();
    std::fs::copy(&renewed.key_file, &files.key_file).unwrap();
    eventually("the new certificate is shown", async || {
        let now = shown(addr, client(&[&renewed], |_| true)).await;
        now.ok().filter(|certificate| *certificate == der(&renewed))
    })
    .await;
    let http = api(&site, files);
    eventually("the API shows it too", async || {
        let url = format!("https://{}/status", site.gateway.api_addr);
        let answer = http.get(url).bearer_auth(API_KEY).send().await.ok()?;
        let status: Value = serde_json::from_str(&answer.text().await.ok()?).ok()?;
        let of_api = &status["data"]["tls"]["api"];
        (of_api["problem"].is_null() && of_api["reloads"].as_u64()? >= 1).then_some(())
    })
    .await;
}

/// Somebody is told before clients are: by the log, `/status`, a metric and the dashboard, in both languages.
#[tokio::test]
async fn a_certificate_that_expires_soon_is_told_of_until_it_is_renewed() {
    let folder = tempfile::tempdir().unwrap();
    let day = |days| gateway::clock::now() + chrono::TimeDelta::days(days);
    let files = certificate_until(folder.path(), "short", &PKCS_ECDSA_P256_SHA256, day(20));
    let tls = TlsConfig { pairs: vec![certificate(folder.path(), "long", &PKCS_RSA_SHA256), files.clone()] };
    let config = Config { api_tls: Some(tls.clone()), ..Config::default() };
    let [warning] = &*config.warnings() else { panic!("{:?}", config.warnings()) };
    assert_eq!((warning.key.as_str(), warning.problem.contains("expires on")), ("listen.api", true), "{warning:?}");
    let site = Site::start(move |config| {
        config.device_tls = Some((SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), tls));
    })
    .await;
    let standing = async || site.get("/status").await.1["data"]["tls"]["device"].clone();
    let left = async || {
        let text = site.request("GET", "/metrics").bearer_auth(API_KEY).send().await.unwrap().text().await.unwrap();
        let line = text.lines().find_map(|line| {
            line.strip_prefix("punch_certificate_expires_seconds{listener=\"device\"} ")?.parse::<i64>().ok()
        });
        line.unwrap_or_else(|| panic!("{text}"))
    };
    let told = standing().await;
    let expected = day(20).format("%Y-%m-%dT00:00:00Z").to_string();
    assert_eq!((&told["expires_soon"], &told["expires_at"]), (&Value::Bool(true), &Value::String(expected)));
    assert!((18 * 86_400..=20 * 86_400).contains(&left().await));
    let mut visitor = Visitor::logged_in(&site).await;
    let page = visitor.read("/dashboard").await;
    assert!(page.contains("A certificate has to be renewed"), "{page}");

    let renewed = certificate_until(folder.path(), "renewed", &PKCS_ECDSA_P256_SHA256, day(31));
    std::fs::copy(&renewed.cert_file, &files.cert_file).unwrap();
    std::fs::copy(&renewed.key_file, &files.key_file).unwrap();
    site.gateway.renew_certificates();
    assert_eq!(standing().await["expires_soon"], false);
    assert!(left().await > 29 * 86_400);
    assert!(!visitor.read("/dashboard").await.contains("has to be renewed"));
}

#[test]
fn a_file_says_which_listener_speaks_tls_and_what_is_wrong_with_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let files = certificate(folder.path(), "ecdsa", &PKCS_ECDSA_P256_SHA256);
    let other = certificate(folder.path(), "other", &PKCS_ECDSA_P256_SHA256);
    let [cert, key, other] =
        [&files.cert_file, &files.key_file, &other.key_file].map(|path| path.display().to_string());
    let pair = |cert: &str, key: &str| format!("cert_file = {cert}\nkey_file = {key}\n");
    let good = pair(&format!("{cert:?}"), &format!("{key:?}"));
    let config = Config::parse(&format!("[tls]\n{good}[listen]\ndevice = \"off\"\ndevice_tls = \"0.0.0.0:8443\"\n"));
    let config = config.unwrap();
    assert!(!config.device_plain && config.api_tls == Some(TlsConfig { pairs: vec![files.clone()] }));
    assert_eq!(config.device_tls.unwrap().0.port(), 8443);
    let lists = pair(&format!("[{cert:?}, {cert:?}]"), &format!("[{key:?}, {key:?}]"));
    let config = Config::parse(&format!("[device_tls]\n{lists}[listen]\ndevice_tls = \"0.0.0.0:8443\"\n")).unwrap();
    assert!(config.api_tls.is_none() && config.device_tls.unwrap().1.pairs.len() == 2);
    for (text, expected) in [
        (
            "[listen]\ndevice_tls = \"0.0.0.0:8443\"\n".to_owned(),
            "`listen.device_tls`: needs `[tls]` or `[device_tls]`",
        ),
        ("[listen]\ndevice = \"off\"\n".to_owned(), "`listen.device`: is `off`, and `device_tls` has no address"),
        ("[tls]\n".to_owned(), "`tls.cert_file`: names 0 files and `key_file` 0"),
        (
            format!("[api_tls]\n{}", pair(&format!("[{cert:?}, {cert:?}]"), &format!("{key:?}"))),
            "names 2 files and `key_file` 1",
        ),
        (format!("[tls]\n{}", pair("\"/nowhere.pem\"", &format!("{key:?}"))), "/nowhere.pem"),
        (format!("[tls]\n{}", pair(&format!("{key:?}"), &format!("{key:?}"))), "no certificate"),
        (
            format!("[tls]\n{}", pair(&format!("{cert:?}"), &format!("{other:?}"))),
            "has to be that of the first certificate",
        ),
    ] {
        let wrong = Config::parse(&text).unwrap_err().to_string();
        assert!(wrong.contains(expected) && !wrong.contains("PRIVATE KEY"), "{text}: {wrong}");
    }
}

/// S3-042: what a source or a sink believes is the roots of the system, those of a file, or one certificate by its SHA-256; a
/// server with another one gets nothing, and the text says why.
#[tokio::test]
async fn a_source_or_a_sink_believes_what_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let (site, tls) = site(folder.path()).await;
    let trust = |text: &str| sinks::Trust::take(&mut text.parse().unwrap());
    let ask = async |text: &str| {
        let transport = trust(text).unwrap().transport().unwrap();
        let url = format!("https://{}/livez", site.gateway.api_addr);
        let request = axum::http::Request::get(url).body(bytes::Bytes::new()).unwrap();
        transport.send(request).await.map(|response| response.status().as_u16()).map_err(|failure| failure.to_string())
    };
    let pin =
        |der: &[u8]| format!("{:?}", punch_erp::CertificatePin::of(der)).split(['(', ')']).nth(1).unwrap().to_owned();
    let [ecdsa, rsa] = [0, 1].map(|index| pin(&der(&tls.pairs[index])));
    let pinned = format!("certificate_sha256 = [\"{ecdsa}\", \"{rsa}\"]");
    assert_eq!(ask(&pinned).await, Ok(200), "also by an address that is not in it");
    let roots: Vec<u8> = tls.pairs.iter().flat_map(|files| std::fs::read(&files.cert_file).unwrap()).collect();
    let file = folder.path().join("roots.pem");
    std::fs::write(&file, roots).unwrap();
    assert_eq!(ask(&format!("ca_file = {:?}", file.display().to_string())).await, Ok(200));
    assert_eq!(ask("accept_invalid_certificates = true").await, Ok(200));
    for refusing in [String::new(), format!("certificate_sha256 = \"{}\"", pin(b"another certificate"))] {
        let error = ask(&refusing).await.unwrap_err();
        assert!(error.starts_with("PE-NET-001: the server's certificate is not trusted"), "{error}");
    }
    for (wrong, key) in [
        ("certificate_sha256 = \"9f86\"".to_owned(), "certificate_sha256"),
        ("certificate_sha256 = []".to_owned(), "certificate_sha256"),
        ("ca_file = \"/nowhere\"".to_owned(), "ca_file"),
        (format!("ca_file = {:?}", tls.pairs[0].key_file.display().to_string()), "ca_file"),
        (format!("{pinned}\naccept_invalid_certificates = true"), "accept_invalid_certificates"),
    ] {
        let errors = trust(&wrong).unwrap_err();
        assert_eq!(errors[0].key, key, "{wrong}: {errors:?}");
    }
}
