use core::fmt;

/// A webhook endpoint or an ERP sink. The number is the driver's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an id; it never grows a field")]
pub struct EndpointId(pub u64);

/// One event on its way to one endpoint. The number is the driver's, unique over all endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an id; it never grows a field")]
pub struct DeliveryId(pub u64);

/// What must stay in order at one endpoint: the events of one employee.
///
/// Two employees that share a number share an order, which costs a little speed and nothing else. An endpoint
/// that wants no order gives every delivery a lane of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an id; it never grows a field")]
pub struct Lane(pub u64);

impl Lane {
    /// The lane of an employee: 64-bit FNV-1a of the key. The function never changes, so a store may keep the number.
    ///
    /// ```
    /// use punch_webhook::Lane;
    ///
    /// assert_eq!(Lane::of(b""), Lane(0xcbf2_9ce4_8422_2325));
    /// assert_ne!(Lane::of(b"7"), Lane::of(b"007"));
    /// ```
    pub fn of(employee: &[u8]) -> Self {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Self(employee.iter().fold(0xcbf2_9ce4_8422_2325, step))
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
