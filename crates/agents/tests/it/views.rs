//! The makers of views.

use canon_chain::Client;
use canon_follow::{ChainSource, Follower, SetIdentity};
use canon_views::{Question, SetView};

/// The makers of views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// The contracts' own views. The history isn't known.
    Reads,
    /// The fold of the set's events, which is the history.
    Fold,
}

/// Makes views of a set.
#[derive(Clone, Debug)]
pub(crate) enum Views {
    Reads(Client, SetIdentity),
    Fold(Box<Follower<ChainSource>>),
}

impl Maker {
    pub(crate) const ALL: [Self; 2] = [Self::Reads, Self::Fold];

    /// One that has seen nothing yet.
    pub(crate) fn start(self, client: Client, identity: SetIdentity) -> Views {
        match self {
            Self::Reads => Views::Reads(client, identity),
            Self::Fold => Views::Fold(Box::new(Follower::new(ChainSource::new(client), identity))),
        }
    }
}

impl Views {
    pub(crate) const fn maker(&self) -> Maker {
        match self {
            Self::Reads(..) => Maker::Reads,
            Self::Fold(_) => Maker::Fold,
        }
    }

    /// The set at the newest block, or why it isn't known.
    pub(crate) async fn view(&mut self, question: &Question) -> Result<SetView, String> {
        match self {
            Self::Reads(client, identity) => {
                let view = client.view(identity.addresses.registry, question).await;
                view.map(SetView::from).map_err(|error| error.to_string())
            }
            Self::Fold(follower) => {
                follower.catch_up().await.map_err(|error| error.to_string())?;
                follower.view(question).await.map_err(|error| error.to_string())
            }
        }
    }
}
