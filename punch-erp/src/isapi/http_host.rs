use alloc::format;
use alloc::string::{String, ToString as _};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode, Uri};
use quick_xml::escape::escape;

use super::IsapiTerminal;
use crate::address::check_address;
use crate::answer::error_of_status;
use crate::{CallError, ConfigError, Endpoint, Evidence, HttpRequest, HttpResponse};

/// Where a terminal is to post its events. `Debug` hides the path, which is all that many terminals prove themselves by.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpHost {
    host: String,
    port: u16,
    path: String,
    is_https: bool,
}

impl HttpHost {
    /// An address such as `https://mw.example.com/isapi/events/8f1c…`. Put 128 random bits into the path, others for each
    /// terminal: many firmwares send no credential.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the address is none.
    pub fn new(address: &str) -> Result<Self, ConfigError> {
        let key = "http_host";
        check_address(key, address, "give the address at which the terminal reaches the receiver", true)?;
        let bad = ConfigError::BadAddress { key, problem: "is not an address" };
        let uri: Uri = address.parse().map_err(|_| bad.clone())?;
        let is_https = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        Ok(Self { host: uri.host().ok_or(bad)?.into(), port, path: uri.path().into(), is_https })
    }

    /// The XML of the setting.
    fn xml(&self, slot: u8) -> String {
        let Self { host, port, path, is_https } = self;
        let protocol = if *is_https { "HTTPS" } else { "HTTP" };
        let is_ip = host.trim_matches(['[', ']']).parse::<core::net::IpAddr>().is_ok();
        let (addressing, element) = if is_ip { ("ipaddress", "ipAddress") } else { ("hostname", "hostName") };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <HttpHostNotification version=\"2.0\" xmlns=\"http://www.isapi.org/ver20/XMLSchema\">\
             <id>{slot}</id><url>{}</url><protocolType>{protocol}</protocolType>\
             <parameterFormatType>JSON</parameterFormatType>\
             <addressingFormatType>{addressing}</addressingFormatType><{element}>{}</{element}>\
             <portNo>{port}</portNo><httpAuthenticationMethod>none</httpAuthenticationMethod>\
             <SubscribeEvent><heartbeat>30</heartbeat><eventMode>all</eventMode>\
             <EventList><Event><type>AccessControllerEvent</type><pictureURLType>binary</pictureURLType></Event></EventList>\
             </SubscribeEvent></HttpHostNotification>",
            escape(path.as_str()),
            escape(host.as_str()),
        )
    }
}

impl core::fmt::Debug for HttpHost {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("HttpHost").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

/// Tells a terminal where to post its events.
#[derive(Debug, Clone)]
pub struct SetHttpHost {
    terminal: IsapiTerminal,
    host: HttpHost,
    slot: u8,
}

impl SetHttpHost {
    /// `PUT /ISAPI/Event/notification/httpHosts/{slot}`. Terminals have several slots; the first is 1.
    pub fn new(terminal: &IsapiTerminal, host: HttpHost, slot: u8) -> Self {
        Self { terminal: terminal.clone(), host, slot }
    }
}

impl Endpoint for SetHttpHost {
    type Output = ();

    fn request(&self) -> HttpRequest {
        let slot = self.slot.to_string();
        let path = ["ISAPI", "Event", "notification", "httpHosts", slot.as_str()];
        let mut request = self.terminal.request(Method::PUT, &path, &[], Bytes::from(self.host.xml(self.slot)));
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        request
    }

    fn response(&self, response: &HttpResponse) -> Result<(), CallError> {
        if response.status() == StatusCode::OK {
            return Ok(());
        }
        Err(error_of_status(response, Evidence::of(response)).unwrap_or_else(CallError::Unavailable))
    }
}
