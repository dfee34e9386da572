use std::net::{Ipv4Addr, SocketAddr};

use punch_normalize::EventId;
use punch_webhook::{Event, PayloadFormat, Secret, Signer};
use simulator::receiver::{Receiver, Script};

/// The referee of the other tests must itself be strict: a wrong signature counts for nothing.
#[tokio::test]
async fn the_receiver_follows_its_script_and_counts_only_what_is_signed() {
    let secret = Secret::from_random([7; 32]);
    let script = Script { statuses: vec![500, 204], ..Script::default() };
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
        assert_eq!(arrival.status, statuses[statuses.len() - 1]);
        assert_eq!(
            (arrival.event_id.is_some(), arrival.problem.is_some()),
            (arrival.status != 401, arrival.status == 401)
        );
        assert_eq!(arrival.body, body);
    }
    assert_eq!(statuses, [500, 401, 204, 500], "a refused request takes no turn of the script");
    assert_eq!(receiver.accepted().into_iter().collect::<Vec<_>>(), [("evt_1".to_owned(), 1)]);
}
