use std::net::{Ipv4Addr, SocketAddr};

use punch_normalize::EventId;
use punch_webhook::{Event, PayloadFormat, Secret, Signer};
use simulator::receiver::{Receiver, Reply, Script};

/// The referee of the other tests must itself be strict: a wrong signature counts for nothing.
#[tokio::test]
async fn the_receiver_follows_its_script_and_counts_only_what_is_signed() {
    let secret = Secret::from_random([7; 32]);
    let script = Script { replies: vec![Reply::Status(500), Reply::Status(204)], ..Script::default() };
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (receiver, mut arrivals) = Receiver::start(addr, &secret, script).await.unwrap();
    let (id, now) = (EventId::parse("evt_1").unwrap(), gateway::clock::now());
    let body = Event::test(&id, now).body(PayloadFormat::Nested).render(1);
    let client = reqwest::Client::new();
    let mut statuses = Vec::new();
    for signing in [&secret, &Secret::from_random([8; 32]), &secret, &secret] {
        let mut request = client.post(format!("http://{}/webhook", receiver.addr)).body(body.clone());
        for (name, value) in Signer::new(signing).headers(&id, &body, now).iter() {
            request = request.header(name, value);
        }
        statuses.push(request.send().await.unwrap().status().as_u16());
        let arrival = arrivals.recv().await.unwrap();
        let status = statuses[statuses.len() - 1];
        assert_eq!(arrival.reply, Reply::Status(status));
        assert_eq!((arrival.event_id.is_some(), arrival.problem.is_some()), (status != 401, status == 401));
        assert_eq!(arrival.body, body);
    }
    assert_eq!(statuses, [500, 401, 204, 500], "a refused request takes no turn of the script");
    assert_eq!(receiver.accepted().into_iter().collect::<Vec<_>>(), [("evt_1".to_owned(), 1)]);
}

/// What a receiver can do instead of answering.
#[tokio::test]
async fn the_receiver_breaks_off_drips_and_keeps_silent() {
    let secret = Secret::from_random([7; 32]);
    let replies = ["reset", "drip", "silent"].map(|word| word.parse().unwrap()).to_vec();
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (receiver, mut arrivals) =
        Receiver::start(addr, &secret, Script { replies, ..Script::default() }).await.unwrap();
    let (id, now) = (EventId::parse("evt_1").unwrap(), gateway::clock::now());
    let body = Event::test(&id, now).body(PayloadFormat::Nested).render(1);
    let client = reqwest::Client::new();
    let send = || {
        let request = client.post(format!("http://{}/webhook", receiver.addr)).body(body.clone());
        let headers = Signer::new(&secret).headers(&id, &body, now);
        headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send()
    };
    let broken = send().await.unwrap();
    assert!(broken.status().is_success() && broken.bytes().await.is_err());
    let mut dripping = send().await.unwrap();
    for _ in 0..2 {
        assert_eq!(dripping.chunk().await.unwrap().unwrap().as_ref(), b" ");
    }
    tokio::select! {
        answer = send() => panic!("{answer:?}"),
        () = async { while arrivals.recv().await.unwrap().reply != Reply::Silent {} } => {}
    }
    assert!(receiver.accepted().is_empty(), "nobody can know that it was taken");
    assert!("99".parse::<Reply>().is_err() && "gone".parse::<Reply>().is_err());
}
