//! The three twins seen alike: how to walk a listing, how to suppress somebody, how to tell whether they are.

use serde_json::{Value, json};
use unisson_sandbox::{Audience, Handle, Plot, Sandbox, Status, System};

use crate::client::{Answer, Client, brevo, encoded, hash, hubspot, mailchimp, texts};

/// No listing of these tests has more pages.
pub(crate) const PAGES_MAX: usize = 40;
/// How many rows a page holds.
pub(crate) const ROWS: usize = 50;

/// One twin.
pub(crate) struct Site<'a> {
    pub(crate) name: &'static str,
    pub(crate) client: Client,
    pub(crate) handle: &'a Handle,
    sandbox: &'a Sandbox,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Mailchimp,
    HubSpot,
    Brevo,
}

/// All twins of a sandbox.
pub(crate) fn sites(sandbox: &Sandbox) -> [Site<'_>; 3] {
    let site = |name, client, handle, kind| Site { name, client, handle, sandbox, kind };
    [
        site("mailchimp", mailchimp(sandbox), sandbox.mailchimp().handle(), Kind::Mailchimp),
        site("hubspot", hubspot(sandbox), sandbox.hubspot().handle(), Kind::HubSpot),
        site("brevo", brevo(sandbox), sandbox.brevo().handle(), Kind::Brevo),
    ]
}

impl Site<'_> {
    /// A part of the path of the listing, for rules.
    pub(crate) fn listing(&self) -> &'static str {
        match self.kind {
            Kind::Mailchimp => "/members",
            Kind::HubSpot | Kind::Brevo => "/contacts",
        }
    }

    fn path(&self, place: &str) -> String {
        match self.kind {
            Kind::Mailchimp => format!("/lists/{}/members?count={ROWS}&offset={place}", Audience::Letter.id()),
            Kind::HubSpot => format!("/crm/v3/objects/contacts?limit={ROWS}&after={place}"),
            Kind::Brevo => format!("/contacts?limit={ROWS}&sort=asc&offset={place}"),
        }
    }

    /// The page at this place; an error where none arrives.
    pub(crate) async fn page(&self, place: &str) -> reqwest::Result<Answer> {
        self.client.send(reqwest::Method::GET, &self.path(place), None).await
    }

    /// The ids on a page.
    pub(crate) fn ids(&self, page: &Value) -> Vec<String> {
        match self.kind {
            Kind::Mailchimp => texts(&page["members"], "id"),
            Kind::HubSpot => texts(&page["results"], "id"),
            Kind::Brevo => {
                page["contacts"].as_array().into_iter().flatten().map(|contact| contact["id"].to_string()).collect()
            }
        }
    }

    /// The first record of a page.
    pub(crate) fn first<'v>(&self, page: &'v Value) -> &'v Value {
        match self.kind {
            Kind::Mailchimp => &page["members"][0],
            Kind::HubSpot => &page["results"][0],
            Kind::Brevo => &page["contacts"][0],
        }
    }

    /// The place of the page after this one; `None` where the answer says that this was the last.
    pub(crate) fn next(&self, place: &str, page: &Value) -> Option<String> {
        let total = match self.kind {
            Kind::Mailchimp => &page["total_items"],
            Kind::Brevo => &page["count"],
            Kind::HubSpot => return page["paging"]["next"]["after"].as_str().map(str::to_owned),
        };
        let shown = place.parse::<u64>().unwrap() + self.ids(page).len() as u64;
        (shown < total.as_u64().unwrap_or_default()).then(|| shown.to_string())
    }

    /// The ids of all pages as a trusting client reads them, with how many pages that took.
    pub(crate) async fn walk(&self) -> (Vec<String>, usize) {
        let (mut ids, mut place) = (Vec::new(), "0".to_owned());
        for pages in 1..=PAGES_MAX {
            let page = self.page(&place).await.unwrap().json();
            ids.extend(self.ids(&page));
            match self.next(&place, &page) {
                Some(next) => place = next,
                None => return (ids, pages),
            }
        }
        (ids, PAGES_MAX)
    }

    /// The place of the third page.
    pub(crate) async fn third(&self) -> String {
        let first = self.page("0").await.unwrap().json();
        let second = self.next("0", &first).unwrap();
        self.next(&second, &self.page(&second).await.unwrap().json()).unwrap()
    }

    /// People who can be mailed.
    pub(crate) fn mailable(&self) -> Vec<String> {
        let people = self.sandbox.population().with_plot(Plot::Single);
        let system = match self.kind {
            Kind::Mailchimp => System::Letter,
            Kind::HubSpot => System::Crm,
            Kind::Brevo => System::Campaigns,
        };
        let known = people.map(|person| person.spelling(system));
        known.filter(|who| self.holds(who) && !self.is_out(who)).collect()
    }

    fn holds(&self, who: &str) -> bool {
        match self.kind {
            Kind::Mailchimp => self.sandbox.mailchimp().status(Audience::Letter, who).is_some(),
            Kind::HubSpot => self.sandbox.hubspot().contact(who).is_some(),
            Kind::Brevo => self.sandbox.brevo().contact(who).is_some(),
        }
    }

    /// Opts somebody out by the API, or back in; answers how that went.
    pub(crate) async fn set(&self, who: &str, out: bool) -> reqwest::Result<Answer> {
        let (method, path, body) = match self.kind {
            Kind::Mailchimp => {
                let status = if out { "unsubscribed" } else { "subscribed" };
                let path = format!("/lists/{}/members/{}", Audience::Letter.id(), hash(who));
                (reqwest::Method::PATCH, path, json!({"status": status}))
            }
            Kind::HubSpot => {
                let state = if out { "UNSUBSCRIBED" } else { "SUBSCRIBED" };
                let path = format!("/communication-preferences/v4/statuses/{}", encoded(who));
                let body = json!({"subscriptionId": 91_001, "statusState": state, "channel": "EMAIL"});
                (reqwest::Method::POST, path, body)
            }
            Kind::Brevo => {
                (reqwest::Method::PUT, format!("/contacts/{}", encoded(who)), json!({"emailBlacklisted": out}))
            }
        };
        self.client.send(method, &path, Some(body)).await
    }

    /// Whether somebody is opted out, as the API shows it.
    pub(crate) async fn shows_out(&self, who: &str) -> bool {
        let read = |path: String| async move { self.client.get(&path).await.json() };
        match self.kind {
            Kind::Mailchimp => {
                let path = format!("/lists/{}/members/{}", Audience::Letter.id(), hash(who));
                read(path).await["status"] == "unsubscribed"
            }
            Kind::HubSpot => {
                let path = format!("/communication-preferences/v4/statuses/{}?channel=EMAIL", encoded(who));
                read(path).await["results"][0]["status"] == "UNSUBSCRIBED"
            }
            Kind::Brevo => read(format!("/contacts/{}", encoded(who))).await["emailBlacklisted"] == true,
        }
    }

    /// Whether somebody is opted out, as the twin holds it.
    pub(crate) fn is_out(&self, who: &str) -> bool {
        match self.kind {
            Kind::Mailchimp => self
                .sandbox
                .mailchimp()
                .status(Audience::Letter, who)
                .is_some_and(|status| status != Status::Subscribed),
            Kind::HubSpot => self.sandbox.hubspot().choice(who, 91_001) == Some("UNSUBSCRIBED"),
            Kind::Brevo => self.sandbox.brevo().is_blacklisted(who) == Some(true),
        }
    }

    /// Writes three rows at once; answers the rows that were taken and those that were refused.
    pub(crate) async fn batch(&self, three: [&str; 3]) -> (usize, usize) {
        match self.kind {
            Kind::Mailchimp => {
                let rows = three.map(|who| json!({"email_address": who, "status": "unsubscribed"}));
                let body = json!({"members": rows, "update_existing": true});
                let answer = self.client.post(&format!("/lists/{}", Audience::Letter.id()), body).await.json();
                let figure = |name: &str| usize::try_from(answer[name].as_u64().unwrap()).unwrap();
                (figure("total_created") + figure("total_updated"), figure("error_count"))
            }
            Kind::HubSpot => {
                let path = "/communication-preferences/v4/statuses/batch/unsubscribe-all?channel=EMAIL&verbose=true";
                let answer = self.client.post(path, json!({"inputs": three})).await.json();
                let length = |name: &str| answer[name].as_array().map_or(0, Vec::len);
                (length("results"), length("errors"))
            }
            Kind::Brevo => {
                let path = "/contacts/lists/4/contacts/remove";
                let answer = self.client.post(path, json!({"emails": three})).await.json();
                let length = |name: &str| answer["contacts"][name].as_array().map_or(0, Vec::len);
                (length("success"), length("failure"))
            }
        }
    }
}
