//! The address bar as state. What every page shares (organization, slice) is carried from page to page; what one
//! page filters by is a parameter of its own.

use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate, use_url},
    location::State,
    params::ParamsMap,
};
use wasm_bindgen::JsValue;

use crate::{
    api::query::Path,
    lasting::{forget_reader, lasting},
};

/// Parameters that every link inside the application keeps.
const CARRIED: [&str; 2] = ["org", "slice"];

/// The query of the address, which outlives most of those who read it.
pub fn use_query() -> Signal<ParamsMap> {
    of_query(ParamsMap::clone)
}

/// What is read from the query, which changes only when that does.
fn of_query<T>(read: impl Fn(&ParamsMap) -> T + Send + Sync + 'static) -> Signal<T>
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let url = use_url();
    let value = Memo::new(move |_| {
        forget_reader(url);
        url.with(|url| read(url.search_params()))
    });
    lasting(value)
}

/// One parameter of the query; empty when absent. It changes only when its text does.
pub fn use_param(name: &'static str) -> Signal<String> {
    of_query(move |query| query.get(name).unwrap_or_default())
}

/// The organization that the address names.
pub fn use_organization() -> Signal<Option<String>> {
    let named = use_param("org");
    Signal::derive(move || Some(named.get()).filter(|id| !id.is_empty()))
}

/// Gives `path` the parameters that every page shares; reactive, so `href=move || to("/runs")`.
pub fn use_carry() -> impl Fn(&str) -> String + Copy + Send + Sync + 'static {
    let query = use_query();
    move |path: &str| query.with(|query| carry(&pairs(query), path))
}

/// Names and values of a query, in order.
type Pairs = Vec<(String, String)>;

fn pairs(query: &ParamsMap) -> Pairs {
    let own = |(name, value): (std::borrow::Cow<'static, str>, String)| (name.into_owned(), value);
    query.clone().into_iter().map(own).collect()
}

fn carry(query: &Pairs, path: &str) -> String {
    let (path, own) = path.split_once('?').unwrap_or((path, ""));
    let mut full = Path::new(path);
    for pair in own.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        full = full.with(name, decoded(value));
    }
    for name in CARRIED {
        full = full.maybe(name, query.iter().find(|pair| pair.0 == name).map(|pair| &pair.1));
    }
    full.into()
}

/// A part of a query without its percent encoding.
pub fn decoded(value: &str) -> String {
    let bytes = value.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = value.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// How a change of the address counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Back undoes it: a view was opened.
    Push,
    /// Back skips it: a filter was refined.
    Replace,
}

/// The address of this page with some parameters changed; an empty value removes its parameter.
pub fn use_changed() -> impl Fn(&[(&str, &str)]) -> String + Copy + Send + Sync + 'static {
    let (path, query) = (lasting(use_location().pathname), use_query());
    move |changes: &[(&str, &str)]| {
        path.with(|path| query.with(|query| changed(path, &pairs(query), changes)))
    }
}

fn changed(path: &str, query: &Pairs, changes: &[(&str, &str)]) -> String {
    let mut full = Path::new(path);
    for (name, value) in query {
        if !changes.iter().any(|(changed, _)| changed == name) {
            full = full.with(name, value);
        }
    }
    for (name, value) in changes {
        full = full.with(name, *value);
    }
    full.into()
}

/// Changes parameters of the address of this page.
pub fn use_set_params() -> impl Fn(&[(&str, &str)], Step) + Copy + Send + Sync + 'static {
    let address = use_changed();
    let go = use_go();
    move |changes: &[(&str, &str)], step: Step| {
        let address = untrack(|| address(changes));
        if step == Step::Replace || !turned(&address) {
            go(&address, step);
        }
    }
}

/// Opens another view of the same page, which is a step of the browser's history and of nothing else: the router keeps
/// a copy of each address that it goes to itself, for good, and who turns pages goes to thousands. False where the
/// browser takes no step, as when there are too many in a second.
fn turned(address: &str) -> bool {
    let here = || window().location().href().ok();
    let before = here();
    let stepped = window()
        .history()
        .and_then(|history| history.push_state_with_url(&JsValue::NULL, "", Some(address)));
    if stepped.is_err() || here() == before {
        return false;
    }
    // This is how the router learns of steps that are not its own.
    let told = web_sys::Event::new("popstate").and_then(|event| window().dispatch_event(&event));
    if told.is_ok() {
        window().scroll_to_with_x_and_y(0.0, 0.0);
    }
    told.is_ok()
}

/// Goes to an address of this application.
pub fn use_go() -> impl Fn(&str, Step) + Copy + Send + Sync + 'static {
    let navigate = StoredValue::new_local(use_navigate());
    move |address: &str, step: Step| {
        let options = NavigateOptions {
            replace: step == Step::Replace,
            scroll: step == Step::Push,
            resolve: false,
            state: State::default(),
        };
        let _ = navigate.try_with_value(|navigate| navigate(address, options));
    }
}

/// A text field whose text is a parameter: typing refines it, and a change of the address changes the field.
pub fn use_param_field(name: &'static str) -> RwSignal<String> {
    let param = use_param(name);
    let set = use_set_params();
    let field = RwSignal::new(param.get_untracked());
    Effect::new(move || {
        let text = param.get();
        if field.with_untracked(|field| field.trim() != text) {
            field.set(text);
        }
    });
    Effect::new(move |first: Option<()>| {
        let text = field.get();
        if first.is_some() && param.with_untracked(|param| param != text.trim()) {
            set(&[(name, text.trim())], Step::Replace);
        }
    });
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Pairs {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn links_keep_organization_and_slice_only() {
        let now = query(&[("org", "o1"), ("status", "failed"), ("slice", "s 1")]);
        assert_eq!(carry(&now, "/runs"), "/runs?org=o1&slice=s%201");
        assert_eq!(
            carry(&now, "/launcher?from=r%201"),
            "/launcher?from=r%201&org=o1&slice=s%201"
        );
        assert_eq!(carry(&query(&[]), "/runs"), "/runs");
    }

    #[test]
    fn changes_keep_the_other_parameters() {
        let now = query(&[("org", "o1"), ("status", "failed")]);
        assert_eq!(
            changed("/runs", &now, &[("status", ""), ("search", "a b")]),
            "/runs?org=o1&search=a%20b"
        );
    }
}
