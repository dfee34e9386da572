use std::collections::BTreeMap;

use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;

use super::{API_KEY, Site};

/// Every page of the dashboard that is a list or stands alone.
pub(crate) const PAGES: [&str; 7] = [
    "/dashboard",
    "/dashboard/devices",
    "/dashboard/punches",
    "/dashboard/deliveries",
    "/dashboard/endpoints",
    "/dashboard/quarantine",
    "/dashboard/sites",
];

/// Somebody with a browser that keeps cookies, follows nothing by itself and runs no script.
pub(crate) struct Visitor {
    base: String,
    http: reqwest::Client,
    pub(crate) cookies: BTreeMap<String, String>,
    /// What the last page had in its forms.
    pub(crate) token: String,
    /// Headers of every request.
    pub(crate) headers: HeaderMap,
}

/// An answer to a visitor.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl Visitor {
    /// A visitor who is not logged in.
    pub(crate) fn of(site: &Site) -> Self {
        let base = format!("http://{}", site.gateway.api_addr);
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { base, http, cookies: BTreeMap::new(), token: String::new(), headers: HeaderMap::new() }
    }

    /// A visitor who is.
    pub(crate) async fn logged_in(site: &Site) -> Self {
        let mut visitor = Self::of(site);
        let entered = visitor.log_in(API_KEY).await;
        assert_eq!((entered.status, entered.location()), (303, "/dashboard"), "{}", entered.html);
        visitor
    }

    pub(crate) async fn log_in(&mut self, key: &str) -> Page {
        self.get("/dashboard/login").await;
        self.submit("/dashboard/login", &[("key", key)]).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let request = self.request("GET", path);
        self.send(request).await
    }

    /// A page that has to be there.
    pub(crate) async fn read(&mut self, path: &str) -> String {
        let page = self.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.html);
        page.html
    }

    /// Sends a form of the last page.
    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.token.clone();
        self.submit_bare(path, &[&[("token", token.as_str())], fields].concat()).await
    }

    /// Sends a form and reads the page that it leads to.
    pub(crate) async fn follow(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let sent = self.submit(path, fields).await;
        assert_eq!(sent.status, 303, "{path}: {}", sent.html);
        self.read(sent.location()).await
    }

    /// Sends a form with these fields alone.
    pub(crate) async fn submit_bare(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.request("POST", path).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        self.send(request).await
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.base));
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        request.header(COOKIE, cookies.join("; ")).headers(self.headers.clone())
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        for line in headers.get_all(SET_COOKIE) {
            let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
        }
        let html = response.text().await.unwrap();
        if let Some((_, rest)) = html.split_once("name=\"token\" value=\"") {
            self.token = rest.split('"').next().unwrap().to_owned();
        }
        Page { status, headers, html }
    }
}

impl Page {
    pub(crate) fn location(&self) -> &str {
        self.headers.get(LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap()
    }

    /// The cookies that it sets, as they are written.
    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap()).collect()
    }
}
