//! Bodies that real terminals posted, as published by the people who recorded them.

/// A recorded `ATTLOG` upload.
#[derive(Debug, Clone, Copy)]
pub struct Capture {
    /// The terminal that posted it.
    pub serial: &'static str,
    /// What it is and who recorded it.
    pub source: &'static str,
    /// The body, byte for byte.
    pub body: &'static str,
}

/// Two uploads of a `SenseFace 3A`; the second one repeats the row of the first, as terminals do.
pub const SENSEFACE_3A: [Capture; 2] = [
    Capture {
        serial: "VGU6262600120",
        source: "SenseFace 3A, ZAM70-NF28VA-3.3.12, push 3.1.2S, attendance mode (sample A01)",
        body: "3\t2026-09-15 15:35:43\t255\t1\t0\t0\t0\t0\t0\t0\t\n",
    },
    Capture {
        serial: "VGU6262600120",
        source: "SenseFace 3A, ZAM70-NF28VA-3.3.12, push 3.1.2S, attendance mode (sample A02)",
        body: "1\t2026-09-14 18:24:18\t255\t1\t0\t0\t0\t0\t0\t0\t\n3\t2026-09-15 15:35:43\t255\t1\t0\t0\t0\t0\t0\t0\t\n",
    },
];

/// An upload of a unit that writes eight fields, the last one empty, and CR LF.
pub const BOCK: [Capture; 1] = [Capture {
    serial: "BOCK200961014",
    source: "unit of the 2.4.0 generation, from saifulcoder/adms-server-ZKTeco's Postman collection (sample A42)",
    body: "1\t2024-07-28 01:25:24\t0\t1\t\t0\t0\t\r\n1\t2024-07-28 10:41:21\t0\t1\t\t0\t0\t\r\n\
           4\t2024-07-28 10:41:31\t0\t1\t\t0\t0\t\r\n",
}];
