//! The attack that makes it necessary to check a contract's creation: it succeeds if only code is
//! compared.

use core::ops::ControlFlow;

use alloy_eips::BlockId;
use alloy_network::TransactionBuilder;
use alloy_primitives::{B256, keccak256};
use alloy_provider::{Provider, ProviderBuilder};
use alloy_rpc_types_eth::TransactionRequest;
use canon_abi::{Asset, Contract, Expect, Registry, UpgradePayload};
use canon_chain::{
    Client, ContractCall, NoWait, Sender, calls,
    deploy::{
        ContractPlan, Create2Origin, DeployRecord, DeployedSet, ExamineError, NotGenuine,
        SetExaminer, SetParameters, deploy,
    },
};
use canon_devchain::{Devchain, DevchainConfig};
use canon_protocol::{Amount, BlockNumber, Constructor, Seconds};

use super::*;

const STAKE: Amount = Amount::of(100 * Amount::TOKEN.get());
const VICTIMS: u8 = 3;

struct ChainDriver {
    chain: Devchain,
    client: Client,
    set: DeployedSet,
}

impl ChainDriver {
    async fn new() -> Self {
        let chain = Devchain::new(DevchainConfig::default());
        let provider = ProviderBuilder::default().connect_client(chain.client());
        let client = Client::connect(provider).await.unwrap();
        let mut sender = Sender::new(client.clone(), chain.dev_accounts().remove(0));
        let parameters = SetParameters::tests();
        let checked = parameters.clone().check().unwrap();
        let mut record = DeployRecord::new(client.chain_id(), sender.address(), parameters);
        let go_on = |_: &DeployRecord, _| ControlFlow::Continue(());
        let set = deploy(&mut sender, &checked, &mut record, &mut NoWait, go_on).await.unwrap();
        Self { chain, client, set }
    }

    fn sender(&self, account: usize) -> Sender {
        Sender::new(self.client.clone(), self.chain.dev_accounts().remove(account))
    }

    async fn send(
        &self,
        account: usize,
        call: ContractCall,
    ) -> canon_chain::Result<canon_chain::Confirmed> {
        self.sender(account).send(call, &mut NoWait).await
    }

    async fn create(&self, code: Bytes) -> Address {
        let wallet = self.chain.dev_accounts().remove(9);
        let provider = ProviderBuilder::new().wallet(wallet).connect_client(self.chain.client());
        let request = TransactionRequest::default().with_deploy_code(code);
        let sent = provider.send_transaction(request).await.unwrap();
        sent.get_receipt().await.unwrap().contract_address.unwrap()
    }

    /// Calls a contract as Governance would after a vote.
    async fn as_governance(&self, to: Address, call: impl SolCall) {
        let governance = self.set.deployment.governance;
        self.chain.impersonate(governance);
        self.chain.set_balance(governance, U256::from(10).pow(U256::from(18)));
        let request = TransactionRequest::default()
            .with_from(governance)
            .with_to(to)
            .with_gas_limit(500_000)
            .with_input(call.abi_encode());
        let sent = self.client.provider().send_transaction(request).await.unwrap();
        let receipt = self.client.provider().get_transaction_receipt(*sent.tx_hash()).await;
        assert!(receipt.unwrap().unwrap().status());
    }

    async fn read<C: SolCall>(&self, to: Address, call: C) -> canon_chain::Result<C::Return> {
        let at = BlockId::from(self.client.head().await.unwrap().hash);
        self.client.read(at, to, call).await
    }

    async fn balance(&self, owner: Address) -> U256 {
        self.read(self.set.deployment.asset, Asset::balanceOfCall { owner }).await.unwrap()
    }

    fn pass(&self, seconds: Seconds) {
        self.chain.increase_time(seconds.get());
        self.chain.mine().unwrap();
    }
}

const fn attester(number: u8) -> Address {
    Address::repeat_byte(number)
}

#[tokio::test(flavor = "current_thread")]
async fn genuine_code_over_forged_storage_takes_the_moved_stake() {
    let driver = ChainDriver::new().await;
    let set = driver.set.deployment;
    let thief = driver.sender(8).address();
    // Victims stake on the old rollup.
    driver.send(0, calls::approve(set.asset, set.rollup, Amount::MAX)).await.unwrap();
    let victim = driver.sender(0).address();
    for number in 1..=VICTIMS {
        let stake = calls::stake(set.rollup, attester(number), victim, victim, STAKE);
        driver.send(0, stake).await.unwrap();
    }

    // The creation and the code of a genuine new rollup.
    let head = driver.client.head().await.unwrap();
    let examiner =
        SetExaminer::new(&driver.client, Create2Origin::default(), BlockNumber::ZERO, head);
    let genuine_set = examiner.set(set.registry).await.unwrap();
    let old = examiner.rollup(&genuine_set, set.rollup).await.unwrap();
    let parameters = RawRollupParameters { genesis_time: head.timestamp.to_word(), ..old };
    let genuine = ContractPlan::new(Create2Origin::default(), Constructor::Rollup(parameters));
    let direct = ContractCall::create(
        Contract::Rollup,
        &Rollup::constructorCall { parameters: parameters.into() },
    );
    let next = driver.client.next_block().await.unwrap();
    let runtime = driver.sender(8).simulate(&direct, next).await.unwrap();

    // The forged rollup has a stake that the thief never paid.
    let token = driver.create(worthless_token()).await;
    let stake_writer = driver.create(stake_writer(&runtime, set.asset, token)).await;
    let loot = U256::from(VICTIMS) * STAKE.to_word();
    let forged_stake =
        ForgedStake { attester: attester(99), proposer: thief, withdrawer: thief, stake: loot };
    let init_code = forged_rollup(&runtime, &parameters, stake_writer, forged_stake);
    let forged = Create2Origin::default().create2(&init_code).address();
    let call = ContractCall::create2(Contract::Rollup.name(), Create2Origin::default(), &init_code);
    driver.send(8, call).await.unwrap();
    assert!(driver.balance(forged).await.is_zero());

    // Its code and its answers are those of a genuine rollup.
    let code =
        driver.client.code(driver.client.head().await.unwrap().hash.into(), forged).await.unwrap();
    let code = code.unwrap();
    Contract::Rollup.artifact().check_code(&code).unwrap();
    let expect = driver.set.expect;
    let expected = keccak256(&runtime);
    assert_eq!(keccak256(&code), expected);
    driver.read(expect, Expect::codeHashIsCall { target: forged, expected }).await.unwrap();
    let expected = set.governance;
    driver.read(expect, Expect::ownerIsCall { target: forged, expected }).await.unwrap();
    let pending = driver.read(forged, Registry::pendingOwnerCall {}).await.unwrap();
    assert_eq!(pending, Address::ZERO);

    // Its creation isn't, so a check or an assertion of the creation protects the stakes.
    let head = driver.client.head().await.unwrap();
    let examiner =
        SetExaminer::new(&driver.client, Create2Origin::default(), BlockNumber::ZERO, head);
    let error = examiner.rollup(&genuine_set, forged).await.unwrap_err();
    let ExamineError::NotGenuine(NotGenuine::OtherAddress { contract, address, expected }) = error
    else {
        panic!("{error}")
    };
    assert_eq!((contract, address), (Contract::Rollup, forged));
    assert_eq!(expected, genuine.address());
    let create2 = genuine.create2();
    let asserted = driver.read(
        expect,
        Expect::createdByCall {
            target: forged,
            factory: create2.factory,
            salt: create2.salt,
            initCodeHash: create2.init_code_hash,
        },
    );
    let Err(error) = asserted.await else { panic!("taken for genuine") };
    assert!(error.as_revert().unwrap().is::<Expect::Expect__Creation>(), "{error}");
    let arguments = UpgradePayload::constructorCall {
        expect,
        registry: set.registry,
        newRollup: forged,
        expectedCanonical: set.rollup,
        factory: create2.factory,
        salt: B256::ZERO,
        initCodeHash: create2.init_code_hash,
        uri: String::new(),
    };
    let payload = ContractCall::create(Contract::UpgradePayload, &arguments);
    let error = driver.send(8, payload).await.unwrap_err();
    assert_eq!(error.as_revert().unwrap().name(), Some("Expect__Creation"), "{error}");

    // Without such a check it becomes canonical, the stakes move to it, and the forged staker
    // withdraws them.
    for number in 1..=VICTIMS {
        let announce = announce_move(set.rollup, attester(number), forged);
        driver.send(0, announce).await.unwrap();
    }
    driver.send(8, exit_stake(forged, forged_stake.attester, thief)).await.unwrap();
    driver.pass(Seconds::HOUR);
    driver.as_governance(set.registry, Registry::upgradeCall { rollup: forged }).await;
    for number in 1..=VICTIMS {
        driver.send(0, calls::finalize_move(set.rollup, attester(number))).await.unwrap();
    }
    assert_eq!(driver.balance(forged).await, loot);
    driver.send(8, pay_exit(forged, forged_stake.attester)).await.unwrap();
    assert_eq!(driver.balance(thief).await, loot, "stolen");
    driver.send(0, exit_stake(forged, attester(1), victim)).await.unwrap();
    driver.pass(Seconds::HOUR);
    let error = driver.send(0, pay_exit(forged, attester(1))).await.unwrap_err();
    assert!(error.as_revert().is_some(), "nothing is left for those who staked: {error}");
}

fn announce_move(rollup: Address, attester: Address, to: Address) -> ContractCall {
    ContractCall::new(rollup, &Rollup::initiateMoveCall { attester, newRollup: to })
}

fn exit_stake(rollup: Address, attester: Address, recipient: Address) -> ContractCall {
    ContractCall::new(rollup, &Rollup::initiateWithdrawCall { attester, recipient })
}

fn pay_exit(rollup: Address, attester: Address) -> ContractCall {
    ContractCall::new(rollup, &Rollup::finaliseWithdrawCall { attester })
}
