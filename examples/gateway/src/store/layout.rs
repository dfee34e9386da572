//! The layouts of the store: each is made from the one before it, and none is ever changed.

use super::StoreError;
use super::sql::{Connection, Opener};

/// The layouts, each made from the one before it.
pub(super) const LAYOUTS: [(i64, &str); 24] = [
    (1, include_str!("schema_1.sql")),
    (2, include_str!("schema_2.sql")),
    (3, include_str!("schema_3.sql")),
    (4, include_str!("schema_4.sql")),
    (5, include_str!("schema_5.sql")),
    (6, include_str!("schema_6.sql")),
    (9, include_str!("schema_9.sql")),
    (12, include_str!("schema_12.sql")),
    (13, include_str!("schema_13.sql")),
    (14, include_str!("schema_14.sql")),
    (15, include_str!("schema_15.sql")),
    (16, include_str!("schema_16.sql")),
    (17, include_str!("schema_17.sql")),
    (18, include_str!("schema_18.sql")),
    (19, include_str!("schema_19.sql")),
    (20, include_str!("schema_20.sql")),
    (21, include_str!("schema_21.sql")),
    (22, include_str!("schema_22.sql")),
    (23, include_str!("schema_23.sql")),
    (25, include_str!("schema_25.sql")),
    (26, include_str!("schema_26.sql")),
    (27, include_str!("schema_27.sql")),
    (28, include_str!("schema_28.sql")),
    (29, include_str!("schema_29.sql")),
];
/// The newest layout this program knows.
pub(super) const VERSION: i64 = 29;

/// What is another on PostgreSQL. The first makes the layout as a whole, where there was none before it.
const POSTGRES: [(i64, &str); 3] = [
    (17, include_str!("schema_17_postgres.sql")),
    (28, include_str!("schema_28_postgres.sql")),
    (29, include_str!("schema_29_postgres.sql")),
];

/// Brings what a connection leads to to the newest layout.
pub(super) fn migrate(connection: &Connection, opener: &Opener) -> Result<(), StoreError> {
    bring_to(VERSION, connection, opener)
}

fn bring_to(last: i64, connection: &Connection, opener: &Opener) -> Result<(), StoreError> {
    connection.transact_layout(|found| {
        if found > last {
            return Err(StoreError::Newer { place: opener.place().clone(), found });
        }
        for (version, sql) in missing(found, opener).take_while(|(version, _)| *version <= last) {
            connection.batch(&opener.in_its_words(sql))?;
            connection.keep_layout(version)?;
        }
        Ok(())
    })
}

fn missing(found: i64, opener: &Opener) -> impl Iterator<Item = (i64, &'static str)> {
    let others = if opener.place().is_shared() { &POSTGRES[..] } else { &[] };
    let first = others.first().map_or(0, |(version, _)| *version);
    let missing = LAYOUTS.into_iter().filter(move |(version, _)| *version > found && *version >= first);
    missing.map(|layout| others.iter().copied().find(|(version, _)| *version == layout.0).unwrap_or(layout))
}

#[cfg(test)]
mod tests {
    use punch_webhook::{DeliveryId, PayloadFormat};
    use simulator::cluster::Cluster;

    use super::*;
    use crate::store::{Deliveries, Outgoing, Place};

    /// The first version both kinds of stores have had, and the last that keeps bodies as [`PUNCH`] says.
    const SHARED: i64 = 17;
    const BODIES_APART: i64 = 28;

    /// A punch, its event, the bodies of it and its deliveries.
    const PUNCH: &str = "
        INSERT INTO endpoint (id, url, secret, format, schedule, events, created_at)
        VALUES (4, 'https://a.example/', 'whsec_x', 'flat', 'seed-002', 'attendance.punch', 0),
               (5, 'https://b.example/', 'whsec_x', 'nested', 'seed-002', 'attendance.punch', 0);
        INSERT INTO row (seq, id, serial, fate, received_at, raw)
        VALUES (2, 'evt_00000000000000000000000001', 'A1', 'delivered', 1000, CAST('1' AS BLOB));
        INSERT INTO event (seq, id, type, lane, created_at)
        VALUES (9, 'evt_00000000000000000000000001', 'attendance.punch', 1, 2000);
        INSERT INTO body VALUES (9, 'nested', CAST('{\"n\":1}' AS BLOB)), (9, 'flat', CAST('{\"f\":1}' AS BLOB));
        INSERT INTO delivery (id, endpoint, event, lane, created_at, state, attempts)
        VALUES (7, 4, 9, 1, 2000, 'waiting', 3), (8, 5, 9, 1, 2000, 'waiting', 0);";

    /// Under the newest layout everything of the punch is found that was entered under the version before.
    fn is_carried_over(version: i64, place: &Place) {
        let opener = Opener::new(place).unwrap();
        let connection = opener.connect().unwrap();
        bring_to(version, &connection, &opener).unwrap();
        connection.batch(&opener.in_its_words(PUNCH)).unwrap();
        if version == BODIES_APART {
            connection.batch("UPDATE event SET row_seq = 2").unwrap();
        }
        migrate(&connection, &opener).unwrap();
        migrate(&connection, &opener).unwrap();
        let sent = [7, 8].map(|id| Outgoing::of(&connection, DeliveryId(id)).unwrap().unwrap());
        let sent = sent.map(|it| (it.format, String::from_utf8(it.body.render(1)).unwrap()));
        let expected = [(PayloadFormat::Flat, r#"{"f":1}"#), (PayloadFormat::Nested, r#"{"n":1}"#)];
        assert_eq!(sent, expected.map(|(format, body)| (format, body.to_owned())), "{version} in {place}");
        let of_event =
            Deliveries { event_id: Some("evt_00000000000000000000000001".to_owned()), ..Deliveries::default() };
        let found = of_event.page(&connection, 10, 0).unwrap();
        let found: Vec<_> = found.iter().map(|row| (row.id, row.attempts)).collect();
        assert_eq!(found, [(8, 0), (7, 3)], "{version} in {place}");
    }

    fn versions() -> impl Iterator<Item = i64> {
        LAYOUTS.into_iter().map(|(version, _)| version).filter(|version| (SHARED..=BODIES_APART).contains(version))
    }

    #[test]
    fn a_file_of_every_version_is_carried_over() {
        let folder = tempfile::tempdir().unwrap();
        versions().for_each(|version| is_carried_over(version, &Place::File(folder.path().join(version.to_string()))));
    }

    #[test]
    fn a_server_of_every_version_is_carried_over() {
        let Some(cluster) = Cluster::start().unwrap() else { return };
        let url = cluster.url();
        let all = Opener::new(&Place::parse(&url).unwrap()).unwrap().connect().unwrap();
        for version in versions() {
            all.batch(&format!("CREATE SCHEMA of_{version}")).unwrap();
            is_carried_over(version, &Place::parse(&format!("{url}?options=-csearch_path%3Dof_{version}")).unwrap());
        }
    }
}
