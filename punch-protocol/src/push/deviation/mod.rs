//! Where firmware departs from the manuals, by name.

mod detect;

use alloc::collections::BTreeSet;
use core::fmt;

use super::request::{Parts, Request};

/// A way in which terminals on record depart from the vendor's manuals. Each is taken as it comes; none costs a row.
///
/// Whoever asks why a terminal does not work as expected begins here: [`Deviation::of`] names what a request shows,
/// [`Deviation::text`] says what it means and what is made of it, [`Deviation::seen_on`] which units do it.
///
/// ```
/// use punch_protocol::push::{Deviation, Limits, Parts, Request};
///
/// let body = b"20156107\t2020-02-22 23:10:05\t255\t1\t\t0\t0\t2\n";
/// let parts = Parts::new("POST", "/iclock/cdata.aspx", "SN=AB3N191860207&table=ATTLOG&Stamp=9999", body);
/// let (_, request) = Request::parse(parts, &Limits::default())?;
/// let names: Vec<&str> = Deviation::of(&parts, &request).into_iter().map(Deviation::name).collect();
/// assert_eq!(names, ["aspx_suffix", "counter_in_mask_field"]);
/// # Ok::<(), punch_protocol::push::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table below documents every variant, and `text` says it")]
pub enum Deviation {
    AspxSuffix,
    NoBasePath,
    RepeatedBasePath,
    MisspelledEndpoint,
    FileInPath,
    RawBlanks,
    UploadToEdata,
    PhotosToFdata,
    NoTable,
    OperationMarkElsewhere,
    MarketingDeviceType,
    OptionsFlagTwo,
    AccessVersionWithoutType,
    EventsAmongPunches,
    CommaSeparatedEvents,
    CounterInMaskField,
    UnsignedTimeOffset,
    StrangerRows,
    TaggedRowsAmongPunches,
    UntaggedRows,
    TextForCode,
    UnsetClock,
    ImpossibleTime,
    OperationWithoutTime,
    NamesInGb18030,
    LoneCarriageReturns,
    NulBytes,
    SizeOfAnotherCount,
    BlankSeparator,
    MultiUserPass,
    IndexZero,
    CountOfAnotherBody,
    ResultWithoutCode,
    ResultNamedDataOnly,
}

/// Name, meaning with what is made of it, and where it was seen.
type Entry = (Deviation, &'static str, &'static str, &'static str);

const TABLE: [Entry; 34] = {
    use Deviation as D;
    [
        (D::AspxSuffix, "aspx_suffix", "endpoints end in `.aspx`; the suffix is passed over", "eSSL"),
        (
            D::NoBasePath,
            "no_base_path",
            "no folder in front of the endpoint; the last segment decides",
            "units set up so",
        ),
        (
            D::RepeatedBasePath,
            "repeated_base_path",
            "the base path is there twice; the last segment decides",
            "units whose address was typed with it",
        ),
        (D::MisspelledEndpoint, "misspelled_endpoint", "`devicemd` is taken for `devicecmd`", "one server's clients"),
        (D::FileInPath, "file_in_path", "`FileName=x` stands in the path of a download", "SpeedFace-V5L"),
        (D::RawBlanks, "raw_blanks", "blanks in the query are not encoded; they are kept", "2.0 generation"),
        (D::UploadToEdata, "upload_to_edata", "rows come to `edata`; they are read as those of `cdata`", "some units"),
        (
            D::PhotosToFdata,
            "photos_to_fdata",
            "photos come to `fdata`, as without `ServerVer` in the handshake",
            "2.0 generation",
        ),
        (D::NoTable, "no_table", "an upload names no table; its lines tell what they are", "F22"),
        (
            D::OperationMarkElsewhere,
            "operation_mark_elsewhere",
            "`OpStamp` marks another table than the operation log; it is that table's mark",
            "SenseFace 3A",
        ),
        (
            D::MarketingDeviceType,
            "marketing_device_type",
            "`DeviceType` is a region or a slogan; the unit speaks attendance",
            "BioPro SA40, BOCK units",
        ),
        (D::OptionsFlagTwo, "options_flag_two", "`PushOptionsFlag` above 1, whose meaning is not public", "MB360"),
        (
            D::AccessVersionWithoutType,
            "access_version_without_type",
            "announces 3.x and no `DeviceType`; it is answered as an access terminal",
            "F20/M, ProBio",
        ),
        (
            D::EventsAmongPunches,
            "events_among_punches",
            "`key=value` events are posted as punches; they are read as events",
            "F22",
        ),
        (D::CommaSeparatedEvents, "comma_separated_events", "commas separate the pairs of an event", "QR readers"),
        (
            D::CounterInMaskField,
            "counter_in_mask_field",
            "field 8 holds a running number; it is not read as a mask",
            "unit AB3N191860207 (2020)",
        ),
        (
            D::UnsignedTimeOffset,
            "unsigned_time_offset",
            "field 11 holds a number without a sign; it is not read as an offset",
            "BioPro SA40 (2.0.33S)",
        ),
        (
            D::StrangerRows,
            "stranger_rows",
            "rows without a PIN, of people who were seen and not recognised; they are anonymous",
            "ProFace X with temperature",
        ),
        (
            D::TaggedRowsAmongPunches,
            "tagged_rows_among_punches",
            "rows of other tables among punches; their tag decides",
            "field reports",
        ),
        (D::UntaggedRows, "untagged_rows", "rows without their tag; the table is the tag", "F22"),
        (D::TextForCode, "text_for_code", "a state or method is no number; it is unknown", "field reports"),
        (D::UnsetClock, "unset_clock", "the clock shows a time before 2010: its battery is dead", "any unit"),
        (D::ImpossibleTime, "impossible_time", "a time that no calendar has, such as 31 February", "any unit"),
        (D::OperationWithoutTime, "operation_without_time", "an operation at time `0`", "older units"),
        (D::NamesInGb18030, "names_in_gb18030", "names are not UTF-8; they are read as GB18030", "language 83"),
        (D::LoneCarriageReturns, "lone_carriage_returns", "CR alone ends a line", "old units"),
        (D::NulBytes, "nul_bytes", "NUL bytes in a text, as a power loss leaves them", "any unit"),
        (
            D::SizeOfAnotherCount,
            "size_of_another_count",
            "`Size` is not the length that follows; the row is kept",
            "servers and tests that count raw bytes",
        ),
        (D::BlankSeparator, "blank_separator", "a blank where a TAB belongs, before a template", "one fixture"),
        (
            D::MultiUserPass,
            "multi_user_pass",
            "an ordinary pass is told as event 3, which the manual keeps for several people; it is a punch",
            "SenseFace, SpeedFace, BioFace A1",
        ),
        (D::IndexZero, "index_zero", "every event has index 0; the index identifies nothing", "SenseFace 2A"),
        (
            D::CountOfAnotherBody,
            "count_of_another_body",
            "the query announces another number of records than come; it is acknowledged as announced",
            "retries after a cut",
        ),
        (
            D::ResultWithoutCode,
            "result_without_code",
            "a result without a number; whether the command worked is unknown",
            "field reports",
        ),
        (
            D::ResultNamedDataOnly,
            "result_named_data_only",
            "a result calls its command `DATA`; only the id tells which it was",
            "SpeedFace, eSSL SilkBio-101TC",
        ),
    ]
};

impl Deviation {
    /// Every deviation, in the order of a request: path, query, body.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        TABLE.iter().map(|(deviation, ..)| *deviation)
    }

    /// What a request shows, in the order of [`Deviation::all`]. `parts` are those it was parsed from.
    ///
    /// It reads every row, so it is for whoever looks into one terminal, not for every upload.
    pub fn of(parts: &Parts<'_>, request: &Request<'_>) -> BTreeSet<Self> {
        detect::all(parts, request)
    }

    /// One word for machines.
    pub fn name(self) -> &'static str {
        self.entry().map_or("unknown", |(_, name, ..)| name)
    }

    /// What it is, and what is made of it.
    pub fn text(self) -> &'static str {
        self.entry().map_or("unknown", |(_, _, text, _)| text)
    }

    /// Which units are on record with it.
    pub fn seen_on(self) -> &'static str {
        self.entry().map_or("unknown", |(.., seen_on)| seen_on)
    }

    fn entry(self) -> Option<&'static Entry> {
        TABLE.iter().find(|(deviation, ..)| *deviation == self)
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
