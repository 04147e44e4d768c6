//! A picker: type to filter, the match is bold, what cannot be chosen says why.

use leptos::{ev::KeyboardEvent, prelude::*};

use super::{
    field::{Field, fresh_id},
    icon::{Glyph, Icon},
};

/// One thing that can be picked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// What is stored.
    pub value: String,
    /// What is shown and searched.
    pub name: String,
    /// What qualifies it, at the right.
    pub meta: String,
    /// Cannot be picked, for this reason, which stands in place of `meta`.
    pub refused: Option<String>,
}

/// Whether every word of `query` is in `name`, ignoring case.
pub fn matches(name: &str, query: &str) -> bool {
    let name = name.to_lowercase();
    query
        .split_whitespace()
        .all(|word| name.contains(&word.to_lowercase()))
}

/// `name` cut into parts, with those that a word of `query` matches marked.
pub fn marked(name: &str, query: &str) -> Vec<(String, bool)> {
    let characters: Vec<char> = name.chars().collect();
    let folded: Vec<char> = characters
        .iter()
        .map(|c| c.to_lowercase().next().unwrap_or(*c))
        .collect();
    let mut hit = vec![false; characters.len()];
    for word in query.split_whitespace() {
        let word: Vec<char> = word
            .chars()
            .map(|c| c.to_lowercase().next().unwrap_or(c))
            .collect();
        for start in 0..folded.len().saturating_sub(word.len().saturating_sub(1)) {
            if folded[start..].starts_with(&word) {
                hit[start..start + word.len()].fill(true);
            }
        }
    }
    let mut parts: Vec<(String, bool)> = Vec::new();
    for (character, hit) in characters.into_iter().zip(hit) {
        match parts.last_mut() {
            Some((text, same)) if *same == hit => text.push(character),
            _ => parts.push((character.to_string(), hit)),
        }
    }
    parts
}

/// The name with the matches in bold.
#[component]
pub fn Marked(
    /// The name.
    #[prop(into)]
    name: String,
    /// What was typed.
    #[prop(into)]
    query: String,
) -> impl IntoView {
    let part = |(text, hit): (String, bool)| {
        if hit {
            view! { <b>{text}</b> }.into_any()
        } else {
            text.into_any()
        }
    };
    view! { <span>{marked(&name, &query).into_iter().map(part).collect_view()}</span> }
}

/// The most entries a list shows at once; the rest is said, not hidden.
const SHOWN: usize = 50;

/// A picker of one thing, with label, hint and error.
#[component]
pub fn Picker(
    /// The name of the field.
    #[prop(into)]
    label: Signal<String>,
    /// What can be picked.
    #[prop(into)]
    choices: Signal<Vec<Choice>>,
    /// The value that holds.
    #[prop(into)]
    value: Signal<String>,
    /// Called with the new value.
    #[prop(into)]
    on_pick: Callback<String>,
    /// Shown while nothing is picked.
    #[prop(optional, into)]
    placeholder: Option<String>,
    /// What helps to choose.
    #[prop(optional, into)]
    hint: MaybeProp<String>,
    /// What is wrong and what to do.
    #[prop(optional, into)]
    error: MaybeProp<String>,
) -> impl IntoView {
    let list = fresh_id("picker");
    let query = RwSignal::new(String::new());
    let open = RwSignal::new(false);
    let at = RwSignal::new(0_usize);
    let found = Memo::new(move |_| {
        let query = query.get();
        choices.with(|all| {
            all.iter()
                .filter(|choice| matches(&choice.name, &query))
                .cloned()
                .collect::<Vec<_>>()
        })
    });
    let chosen_name = Memo::new(move |_| {
        let value = value.get();
        choices
            .with(|all| all.iter().find(|c| c.value == value).map(|c| c.name.clone()))
            .unwrap_or_default()
    });
    let close = move || {
        open.set(false);
        query.set(String::new());
    };
    let pick = move |choice: &Choice| {
        if choice.refused.is_none() {
            on_pick.run(choice.value.clone());
            close();
        }
    };
    let show = move || {
        if !open.get_untracked() {
            let value = value.get_untracked();
            at.set(
                found
                    .with_untracked(|all| all.iter().position(|c| c.value == value))
                    .unwrap_or(0),
            );
            open.set(true);
        }
    };
    let keys = move |event: KeyboardEvent| {
        let count = found.with_untracked(Vec::len).min(SHOWN);
        match event.key().as_str() {
            "ArrowDown" if !open.get_untracked() => show(),
            "ArrowDown" => at.update(|at| *at = (*at + 1).min(count.saturating_sub(1))),
            "ArrowUp" => at.update(|at| *at = at.saturating_sub(1)),
            "Enter" if open.get_untracked() => {
                found
                    .with_untracked(|all| all.get(at.get_untracked()).cloned())
                    .iter()
                    .for_each(pick);
            }
            "Escape" if open.get_untracked() => close(),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let option_id = {
        let list = list.clone();
        move |index: usize| format!("{list}-{index}")
    };
    let entries = {
        let option_id = option_id.clone();
        move || {
            let typed = query.get();
            let value = value.get();
            let all = found.get();
            let hidden = all.len().saturating_sub(SHOWN);
            let entry = |(index, choice): (usize, Choice)| {
                let chosen = choice.value == value;
                let refused = choice.refused.clone();
                let name = choice.name.clone();
                let meta = refused.clone().unwrap_or_else(|| choice.meta.clone());
                view! {
                    <div
                        class="menu__item"
                        role="option"
                        id=option_id(index)
                        aria-selected=move || if at.get() == index { "true" } else { "false" }
                        aria-disabled=refused.is_some().then_some("true")
                        on:mousedown=move |event| { event.prevent_default(); pick(&choice); }
                    >
                        {chosen.then(|| view! { <Icon glyph=Glyph::Check/> })}
                        <span class:dim=refused.is_some()><Marked name=name query=typed.clone()/></span>
                        <span class="menu__meta">{meta}</span>
                    </div>
                }
            };
            let nothing = all.is_empty();
            view! {
                {all.into_iter().take(SHOWN).enumerate().map(entry).collect_view()}
                {nothing.then(|| view! { <div class="menu__head">"Nothing matches"</div> })}
                {(hidden > 0).then(|| view! { <div class="menu__head">{format!("{hidden} more; type to narrow")}</div> })}
            }
        }
    };
    let control = move |id: String, described: String| {
        let active = move || open.get().then(|| option_id(at.get()));
        let controls = list.clone();
        view! {
            <div class="search picker">
                <Icon glyph=Glyph::Search/>
                <input
                    class="input"
                    id=id
                    role="combobox"
                    autocomplete="off"
                    spellcheck="false"
                    aria-autocomplete="list"
                    aria-expanded=move || if open.get() { "true" } else { "false" }
                    aria-controls=controls
                    aria-activedescendant=active
                    aria-describedby=described
                    aria-invalid=move || error.get().map(|_| "true")
                    placeholder=move || {
                        let name = chosen_name.get();
                        if name.is_empty() { placeholder.clone().unwrap_or_default() } else { name }
                    }
                    prop:value=move || if open.get() { query.get() } else { chosen_name.get() }
                    on:focus=move |_| show()
                    on:click=move |_| show()
                    on:blur=move |_| close()
                    on:keydown=keys
                    on:input:target=move |event| { show(); query.set(event.target().value()); at.set(0); }
                />
                <div class="menu picker__list" id=list role="listbox" aria-label=move || label.get() hidden=move || !open.get()>
                    {entries}
                </div>
            </div>
        }
        .into_any()
    };
    view! { <Field label hint error control/> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_must_match() {
        assert!(matches("Qwen2.5-VL-7B-Instruct", "qwen 7b"));
        assert!(!matches("Qwen2.5-VL-7B-Instruct", "qwen 72b"));
        assert!(matches("anything", "  "));
    }

    #[test]
    fn matches_are_marked() {
        let parts = marked("Qwen3-VL", "qwen vl");
        assert_eq!(
            parts,
            [("Qwen".into(), true), ("3-".into(), false), ("VL".into(), true)]
        );
        assert_eq!(marked("abc", ""), [("abc".into(), false)]);
        assert!(marked("", "longer than the name").is_empty());
    }
}
