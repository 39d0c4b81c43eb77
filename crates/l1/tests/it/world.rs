//! A chain and its accounts.

use alloy::{providers::ProviderBuilder, signers::local::PrivateKeySigner};
use canon_devchain::{Devchain, DevchainConfig};
use canon_l1::{Client, Sender};

/// A chain that mines at once, and who has ether on it.
pub(crate) struct World {
    pub(crate) chain: Devchain,
    pub(crate) client: Client,
    pub(crate) accounts: Vec<PrivateKeySigner>,
}

pub(crate) async fn world() -> World {
    with(DevchainConfig::default()).await
}

pub(crate) async fn with(config: DevchainConfig) -> World {
    let chain = Devchain::new(config);
    let provider = ProviderBuilder::default().connect_client(chain.client());
    let client = Client::connect(provider).await.unwrap();
    let accounts = chain.dev_accounts();
    World { chain, client, accounts }
}

impl World {
    pub(crate) fn sender(&self, account: usize) -> Sender {
        Sender::new(self.client.clone(), self.accounts[account].clone())
    }
}
