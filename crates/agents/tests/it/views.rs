//! The makers of views.

use canon_chain::{BlockId, Client};
use canon_follow::{ChainSource, ComparisonScope, Follower, SetIdentity};
use canon_protocol::Seconds;
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

    /// Views that have seen no block yet.
    pub(crate) fn start(self, client: Client, identity: SetIdentity) -> Views {
        match self {
            Self::Reads => Views::Reads(client, identity),
            Self::Fold => Views::Fold(Box::new(Follower::new(
                ChainSource::new(client, ComparisonScope::Everything),
                identity,
            ))),
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

    /// The set at the newest block. The error is the reason why it isn't known.
    pub(crate) async fn view(
        &mut self,
        question: &Question,
        block_time: Seconds,
    ) -> Result<SetView, String> {
        match self {
            Self::Reads(client, identity) => {
                let view = client
                    .view(identity.addresses.registry, question, BlockId::latest(), block_time)
                    .await;
                view.map(SetView::from).map_err(|error| error.to_string())
            }
            Self::Fold(follower) => {
                follower.compare_for(ComparisonScope::Asked(question.clone()));
                follower.catch_up().await.map_err(|error| error.to_string())?;
                follower.view(question, block_time).await.map_err(|error| error.to_string())
            }
        }
    }
}
