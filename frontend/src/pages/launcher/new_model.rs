//! The dialog that adds a model.

use leptos::{prelude::*, task::spawn_local};
use types::{CreateCheckpoint, CreateModel};

use super::{
    args::list_of,
    desk::use_desk,
    fields::{Row, Rows},
    table::{ArgTable, rows_of},
};
use crate::{
    api::{client::use_client, endpoints, remote::remote},
    components::{
        button::{Button, Look},
        field::{Kind, TextArea, TextField},
        overlay::Dialog,
        panel::Fault,
        picker::{Choice, Picker},
        words::{Alert, Weight},
    },
};

/// What is typed in the dialog.
#[derive(Clone, Copy)]
struct Draft {
    name: RwSignal<String>,
    backend: RwSignal<String>,
    source: RwSignal<String>,
    family: RwSignal<String>,
    checkpoints: RwSignal<String>,
    args: Rows,
}

impl Draft {
    fn blank() -> Self {
        Self {
            name: RwSignal::default(),
            backend: RwSignal::default(),
            source: RwSignal::default(),
            family: RwSignal::default(),
            checkpoints: RwSignal::default(),
            args: Rows(RwSignal::new(Vec::<Row>::new())),
        }
    }

    fn request(self) -> Result<CreateModel, Fault> {
        let given = |text: RwSignal<String>| {
            Some(text.get_untracked().trim().to_owned()).filter(|text| !text.is_empty())
        };
        let cause = |message: String| Fault {
            cause: message,
            ..Fault::default()
        };
        let name = self.name.get_untracked();
        let name = types::check_name(&name).map_err(|error| cause(format!("The name {error}.")))?;
        let backend = given(self.backend).ok_or_else(|| cause("Choose a backend.".to_owned()))?;
        let model_args =
            list_of(&rows_of(self.args)).map_err(|message| cause(format!("Arguments: {message}.")))?;
        Ok(CreateModel {
            name: name.to_owned(),
            backend,
            family: given(self.family),
            source: given(self.source),
            dtype: None,
            num_parameters: None,
            notes: None,
            model_args,
            metadata: None,
            checkpoints: checkpoints(&self.checkpoints.get_untracked()),
        })
    }

    fn clear(self) {
        for text in [
            self.name,
            self.backend,
            self.source,
            self.family,
            self.checkpoints,
        ] {
            text.set(String::new());
        }
        self.args.0.set(Vec::new());
    }
}

/// One checkpoint per line: the variant, and after a blank where its weights are.
fn checkpoints(text: &str) -> Vec<CreateCheckpoint> {
    let line = |line: &str| {
        let (variant, source) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        CreateCheckpoint {
            checkpoint_variant: variant.to_owned(),
            checkpoint_index: None,
            source: Some(source.trim().to_owned()).filter(|source| !source.is_empty()),
            metadata: None,
        }
    };
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(line)
        .collect()
}

/// The dialog that adds a model and chooses it.
#[component]
pub fn NewModel(
    /// Open or not, both ways.
    open: RwSignal<bool>,
) -> impl IntoView {
    let draft = Draft::blank();
    view! { <Dialog open title="New model" class="dialog--wide"><Form draft open/></Dialog> }
}

#[component]
fn Form(draft: Draft, open: RwSignal<bool>) -> impl IntoView {
    let desk = use_desk();
    let client = StoredValue::new_local(use_client());
    let backends = remote(
        move || Some(()),
        async |client, ()| endpoints::backends(&client).await,
    );
    let fault = RwSignal::new(None::<Fault>);
    let busy = RwSignal::new(false);
    let list = move || backends.load.with(|load| load.value.clone());
    let choices = Signal::derive(move || {
        let kind = |chat: bool| if chat { "chat" } else { "simple" };
        let choice = |backend: &types::BackendView| Choice {
            value: backend.name.clone(),
            name: backend.name.clone(),
            meta: format!("{} · {}", kind(backend.chat), backend.weights_key),
            refused: None,
        };
        list()
            .map(|list| list.backends.iter().map(choice).collect::<Vec<_>>())
            .unwrap_or_default()
    });
    let weights = Signal::derive(move || {
        let backend = draft.backend.get();
        let key = list().and_then(|list| {
            list.backends
                .iter()
                .find(|b| b.name == backend)
                .map(|b| b.weights_key.clone())
        });
        Some(match key {
            Some(key) => format!("where the weights are, given to the backend as {key}"),
            None => "where the weights are: a hub name or a path".to_owned(),
        })
    });
    let of_field = move |name: &'static str| {
        Signal::derive(move || fault.with(|fault| fault.as_ref().and_then(|fault| fault.field(name))))
    };
    let cause = Signal::derive(move || {
        fault.with(|fault| {
            fault
                .as_ref()
                .map(|fault| fault.cause.clone())
                .unwrap_or_default()
        })
    });
    let unplaced = move || fault.with(|fault| fault.as_ref().map(Fault::line));
    let save = move |_| {
        let model = match draft.request() {
            Ok(model) => model,
            Err(wrong) => return fault.set(Some(wrong)),
        };
        let client = client.get_value();
        busy.set(true);
        spawn_local(async move {
            let answer = endpoints::create_model(&client, &model).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(model) => {
                    draft.clear();
                    open.set(false);
                    desk.models.reload();
                    desk.fields.model.set(model.id.to_string());
                    desk.fields.checkpoint.set(String::new());
                }
                Err(wrong) => drop(fault.try_set(Some(wrong))),
            }
        });
    };
    let trouble = Signal::derive(move || backends.load.with(|load| load.fault.as_ref().map(Fault::line)));
    view! {
        <div class="dialog__body stack stack--4">
            <div class="grid-2">
                <TextField label="Name" value=draft.name required=true error=of_field("name") hint="unique in your organization"/>
                <TextField label="Family" value=draft.family error=of_field("family") hint="groups models: LLaVA"/>
                <Picker label="Backend" choices value=draft.backend on_pick=move |name| draft.backend.set(name)
                    placeholder="Search backends" hint="lmms-eval's name for the code that runs it"
                    error=Signal::derive(move || trouble.get().or_else(|| of_field("backend").get()))/>
                <TextField label="Source" value=draft.source kind=Kind::Code hint=weights error=of_field("source")/>
            </div>
            <div>
                <h3 class="args__head">"Arguments"</h3>
                <ArgTable rows=draft.args name="argument" fault=Callback::new(|_| None)/>
            </div>
            <TextArea label="Checkpoints" value=draft.checkpoints rows=3 code=true error=of_field("checkpoints")
                hint="one per line, in the order of training: a name, then a blank and its source"/>
            {move || unplaced().map(|line| view! { <Alert weight=Weight::Bad cause live=true>{line}</Alert> })}
        </div>
        <div class="dialog__foot">
            <Button on_click=move |_| open.set(false)>"Cancel"</Button>
            <Button look=Look::Primary busy on_click=save>"Add model"</Button>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::checkpoints;

    #[test]
    fn a_line_is_a_checkpoint() {
        let all = checkpoints("sft-24k\n\n rl-400   org/model@rl-400 \n");
        let shown: Vec<_> = all
            .iter()
            .map(|c| (c.checkpoint_variant.as_str(), c.source.as_deref()))
            .collect();
        assert_eq!(shown, [("sft-24k", None), ("rl-400", Some("org/model@rl-400"))]);
    }
}
