//! The makers of views.

use canon_chain::Client;
use canon_follow::{ChainSource, ExternalAnswers, Follower, SetIdentity};
use canon_views::{Question, SetView};
use std::sync::Arc;

/// What makes views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// The contracts' own views. The history isn't known.
    Reads,
    /// The fold of the set's events, which is the history.
    Fold,
}

/// Makes views of a set.
pub(crate) struct Views {
    client: Client,
    identity: SetIdentity,
    follower: Option<Follower<ChainSource>>,
}

impl Maker {
    pub(crate) const ALL: [Self; 2] = [Self::Reads, Self::Fold];
}

impl Views {
    pub(crate) fn new(client: Client, identity: SetIdentity, maker: Maker) -> Self {
        let follower = (maker == Maker::Fold)
            .then(|| Follower::new(ChainSource::new(client.clone()), identity.clone()));
        Self { client, identity, follower }
    }

    pub(crate) const fn maker(&self) -> Maker {
        if self.follower.is_some() { Maker::Fold } else { Maker::Reads }
    }

    /// The set at the newest block, or why it isn't known.
    pub(crate) async fn view(&mut self, question: &Question) -> Result<SetView, String> {
        let Some(follower) = &mut self.follower else {
            let registry = self.identity.addresses.registry;
            let view = self.client.view(registry, question).await;
            return view.map_err(|error| error.to_string());
        };
        follower.catch_up().await.map_err(|error| error.to_string())?;
        let block = follower.block().unwrap();
        let state = Arc::new(follower.state().clone());
        let block =
            self.client.block(block.hash.into()).await.map_err(|error| error.to_string())?;
        let mut external = ExternalAnswers::at(block.hash);
        let resolved = external.resolve(&self.client, |external| {
            SetView::of_state(Arc::clone(&state), external, block, question)
        });
        resolved.await.map_err(|error| error.to_string())
    }
}
