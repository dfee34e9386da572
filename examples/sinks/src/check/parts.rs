//! Login, rights and zones, ERP by ERP.

use punch_erp::RetryReason;
use punch_erp::erpnext::{ErpNext, FindCheckins, FindTimeZone, ListEmployees, LoggedUser};
use punch_erp::hrms::Hrms;
use punch_erp::humand::{Humand, ListUsers};
use punch_erp::odoo::{
    Authenticate, CheckAccess, DetectVersion, FindAttendances, FindEmployees, Login, Odoo, Protocol, Version,
};
use punch_erp::successfactors::{Access, Auth, FindTimeEventTypes, RequestToken, SuccessFactors};
use punch_erp::{CallError, Outcome};

use super::Finding;
use crate::Sink;
use crate::clock::now;
use crate::hrms::Database;

impl Sink {
    pub(super) async fn check_odoo(&self, odoo: &Odoo) -> Vec<Finding> {
        let login = self.log_in_to_odoo(odoo).await;
        let said =
            |login: &Login| format!("Odoo {}.{} by {:?}", login.version.major, login.version.minor, login.protocol);
        let mut findings = vec![Finding::of("login", &login, said)];
        let Ok(login) = login else { return findings };
        let employees = self.ask(&FindEmployees::new(odoo, &login, ["0".to_owned()])).await;
        let field = odoo.badge_field();
        findings.push(Finding::of("employees", &employees, |_| format!("the badges in `{field}` can be read")));
        let attendances = self.ask(&FindAttendances::since(odoo, &login, &[], now())).await;
        findings.push(Finding::of("read", &attendances, |_| "attendances can be read".to_owned()));
        for call in [CheckAccess::create(odoo, &login), CheckAccess::write(odoo, &login)] {
            findings.push(match self.ask(&call).await {
                Ok(true) => Finding::good("write", "attendances can be made and changed"),
                Ok(false) => Finding::wrong(
                    "write",
                    "the API user may not write attendances; give it the role Attendances: Administrator, or Officer on 16 and 19",
                ),
                // Asked otherwise by this version.
                Err(RetryReason::Call(CallError::Refused { .. } | CallError::NotFound(_) | CallError::Misaddressed(_))) => {
                    Finding::untold("write", "the server does not tell whether attendances can be written")
                }
                Err(reason) => Finding::failed("write", &reason),
            });
        }
        findings.dedup_by(|one, other| one.text == other.text);
        findings.push(Finding::good("zone", "Odoo keeps UTC, whatever the zones of company and user"));
        findings
    }

    /// As the flows do it: the newest way that takes the secret.
    pub(super) async fn log_in_to_odoo(&self, odoo: &Odoo) -> Result<Login, RetryReason> {
        let (chosen, newest) = (odoo.protocol(), Version { major: 19, minor: 0 });
        let version = match chosen {
            Some(Protocol::Json2) => newest,
            chosen => self.ask(&DetectVersion::new(odoo, chosen.unwrap_or(Protocol::JsonRpc))).await?,
        };
        if chosen == Some(Protocol::Json2) || (chosen.is_none() && version.major >= newest.major) {
            let login = Login::json2(version);
            match self.ask(&FindAttendances::since(odoo, &login, &[], now())).await {
                Err(RetryReason::Call(CallError::Unauthorized(_))) if chosen.is_none() => {}
                // No such database, or no such door.
                Err(reason @ RetryReason::Call(CallError::Unauthorized(_) | CallError::Misaddressed(_))) => {
                    return Err(reason);
                }
                Err(reason @ RetryReason::Network(_)) => return Err(reason),
                Ok(_) | Err(_) => return Ok(login),
            }
        }
        let protocol = chosen.unwrap_or(Protocol::JsonRpc);
        let uid = self.ask(&Authenticate::new(odoo, protocol)).await?;
        Ok(Login::rpc(protocol, uid, version))
    }

    pub(super) async fn check_erpnext(&self, site: &ErpNext) -> Vec<Finding> {
        let user = self.ask(&LoggedUser::new(site)).await;
        let mut findings = vec![Finding::of("login", &user, |user| format!("the API user is {user}"))];
        if user.is_err() {
            return findings;
        }
        let employees = self.ask(&ListEmployees::new(site)).await;
        let field = site.badge_field();
        findings.push(Finding::of("employees", &employees, |employees| {
            format!("{} badges in `{field}` can be read", employees.len())
        }));
        let checkins = self.ask(&FindCheckins::new(site, "nobody", now().naive_utc())).await;
        findings.push(Finding::of("read", &checkins, |_| "checkins can be read".to_owned()));
        findings.push(Finding::untold(
            "write",
            "whether checkins can be made with their own time shows with the first one; the role HR User can",
        ));
        let configured = site.zone();
        findings.push(match self.ask(&FindTimeZone::new(site)).await {
            Ok(found) if found == configured.name() => Finding::good("zone", format!("the site is in {found}")),
            Ok(found) => Finding::wrong(
                "zone",
                format!("the site is in {found}, the setting says {configured}; correct the setting"),
            ),
            Err(_) => Finding::untold(
                "zone",
                format!(
                    "only a System Manager can read the zone of the site; compare System Settings with {configured}"
                ),
            ),
        });
        findings
    }

    pub(super) async fn check_humand(&self, community: &Humand) -> Vec<Finding> {
        let users = self.ask(&ListUsers::new(community, 1)).await;
        let count = |page: &punch_erp::humand::Page<_>| page.count.unwrap_or(page.items.len());
        vec![
            Finding::of("login", &users, |page| format!("the key reads {} users", count(page))),
            Finding::untold("write", "whether entries can be made shows with the first one"),
        ]
    }

    pub(super) async fn check_successfactors(&self, tenant: &SuccessFactors) -> Vec<Finding> {
        let access = match tenant.auth() {
            Auth::Basic => Ok(Access::Basic),
            Auth::Ias => self.ask(&RequestToken::ias(tenant)).await.map(Access::Bearer),
            _ => Err(RetryReason::NoToken),
        };
        let mut findings = vec![Finding::of("login", &access, |_| "a token was given".to_owned())];
        let Ok(access) = access else { return findings };
        let types = self.ask(&FindTimeEventTypes::new(tenant, &access)).await;
        findings.push(match types {
            Err(reason) => Finding::failed("codes", &reason),
            Ok(types) => match tenant.codes().problems(&types) {
                doubts if doubts.is_empty() => Finding::good("codes", "the tenant has the codes of the settings"),
                doubts => Finding::wrong("codes", doubts.join("; ")),
            },
        });
        findings
    }

    /// Writes a row and takes it back.
    pub(super) async fn check_hrms(tables: &Hrms, database: &Database) -> Finding {
        match database.rehearse(tables).await {
            outcome if outcome.is_done() => Finding::good("write", "a row was written and taken back"),
            Outcome::Retry { reason, .. } => Finding::failed("write", &reason),
            Outcome::Park(reason) => Finding::wrong("write", reason.to_string()),
            _ => Finding::untold("write", "the database did not say"),
        }
    }
}
