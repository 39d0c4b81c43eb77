//! The examination of each contract in office.

use super::{
    examiner,
    report::{AuditedContract, Finding},
};
use crate::{
    Client,
    deploy::{
        ConstructorEvents, ContractPlan, Create2Origin, ExamineError, FindingLevel, NotGenuine,
        SetExaminer,
    },
};
use alloy_primitives::{Address, Bytes, keccak256};
use canon_abi::{
    Asset, Contract, Governance, Issuer, Proposals, Registry, RewardDistributor, Rollup,
};
use canon_protocol::BlockNumber;
use canon_views::{BlockView, SetAddresses};

/// The findings about the contracts in office.
pub(super) struct Contracts {
    pub(super) contracts: Vec<AuditedContract>,
    pub(super) constructors: Constructors,
    /// The distinct origins, that of the Registry first.
    pub(super) origins: Vec<Create2Origin>,
    pub(super) findings: Vec<Finding>,
    /// The problems that are among the findings, as errors. The verdict on the whole set may repeat one of them.
    pub(super) reported: Vec<NotGenuine>,
}

/// The constructor arguments that addresses prove.
#[derive(Default)]
pub(super) struct Constructors {
    pub(super) asset: Option<Asset::constructorCall>,
}

/// Collects contracts and findings.
struct Collector<'a> {
    client: &'a Client,
    /// Origins that contracts may have, from a source that need not be trusted.
    alleged_origins: &'a [Create2Origin],
    first_block: BlockNumber,
    head: BlockView,
    found: Contracts,
}

impl Contracts {
    pub(super) async fn examine(
        client: &Client,
        set: &SetAddresses,
        alleged_origins: &[Create2Origin],
        first_block: BlockNumber,
        head: BlockView,
    ) -> Result<Self, ExamineError> {
        let found = Self {
            contracts: Vec::new(),
            constructors: Constructors::default(),
            origins: Vec::new(),
            findings: Vec::new(),
            reported: Vec::new(),
        };
        let mut collector = Collector { client, alleged_origins, first_block, head, found };
        let governance = set.governance;
        collector.add::<Registry::constructorCall>(set.registry, Some(governance)).await?;
        let asset = collector.add::<Asset::constructorCall>(set.asset, Some(set.issuer)).await?;
        collector.add::<Governance::constructorCall>(governance, None).await?;
        collector.add::<Proposals::constructorCall>(set.proposals, None).await?;
        collector.add::<Issuer::constructorCall>(set.issuer, Some(governance)).await?;
        if let Some(distributor) = set.reward_distributor {
            type Constructor = RewardDistributor::constructorCall;
            collector.add::<Constructor>(distributor, Some(governance)).await?;
        }
        collector.add::<Rollup::constructorCall>(set.rollup, Some(governance)).await?;
        collector.add_expect().await?;
        let mut found = collector.found;
        found.constructors.asset = asset;
        Ok(found)
    }

    /// Adds a problem to the findings.
    fn report(&mut self, id: &'static str, problem: NotGenuine) {
        self.findings.push(Finding::error(id, problem.to_string()));
        self.reported.push(problem);
    }
}

impl Collector<'_> {
    /// Examines a contract: the proof of its address, its code and its owner, who should be `owner`.
    async fn add<C: ConstructorEvents>(
        &mut self,
        address: Address,
        owner: Option<Address>,
    ) -> Result<Option<C>, ExamineError> {
        let contract = C::CONTRACT;
        let origin = match self.examiner().proven_origin::<C>(address).await {
            Ok(origin) => Some(origin),
            Err(ExamineError::NotGenuine(reason)) => {
                self.found.report("no-proof", reason);
                None
            }
            Err(error) => return Err(error),
        };
        let mut constructor = None;
        if let Some(origin) = origin {
            if !self.found.origins.contains(&origin) {
                self.found.origins.push(origin);
            }
            constructor = Some(self.examiner().contract::<C>(address).await?);
        }
        let init_code = constructor.as_ref().map(|constructor| contract.init_code(constructor));
        let owner = match owner {
            Some(expected) => self.check_owner(contract, address, expected).await?,
            None => None,
        };
        self.add_contract(contract, address, origin, init_code.as_ref(), owner).await?;
        Ok(constructor)
    }

    /// Adds Expect, to which no contract refers, at the address that follows from an origin of the set.
    async fn add_expect(&mut self) -> Result<(), ExamineError> {
        let at = self.head.hash.into();
        for origin in self.found.origins.clone() {
            let plan = ContractPlan::expect(origin);
            if self.client.code(at, plan.address()).await?.is_some() {
                let init_code = Some(plan.init_code());
                return self
                    .add_contract(Contract::Expect, plan.address(), Some(origin), init_code, None)
                    .await;
            }
        }
        let text = "the set has no Expect, so that payloads can assert nothing; anyone can create it with \
                    the set's factory and salt";
        self.found.findings.push(Finding::new(FindingLevel::Warning, "no-expect", text.to_owned()));
        Ok(())
    }

    async fn add_contract(
        &mut self,
        contract: Contract,
        address: Address,
        origin: Option<Create2Origin>,
        init_code: Option<&Bytes>,
        owner: Option<Address>,
    ) -> Result<(), ExamineError> {
        let code = self.client.code(self.head.hash.into(), address).await?;
        if let Err(mismatch) =
            contract.artifact().check_code(code.as_deref().map_or(&[], |code| code))
        {
            let text = format!(
                "{contract} at {address}: {mismatch}; this program doesn't know what it does: don't use it"
            );
            self.found.findings.push(Finding::error("other-code", text));
        }
        let arguments = init_code.and_then(|code| contract.constructor_arguments(code));
        self.found.contracts.push(AuditedContract {
            contract: contract.name(),
            address,
            origin,
            init_code_hash: init_code.map(keccak256),
            code_hash: code.map(keccak256),
            owner,
            arguments: arguments.into_iter().flatten().map(Into::into).collect(),
        });
        Ok(())
    }

    /// The owner of a contract; `None` if the contract doesn't answer.
    async fn check_owner(
        &mut self,
        contract: Contract,
        address: Address,
        expected: Address,
    ) -> Result<Option<Address>, ExamineError> {
        let at = self.head.hash.into();
        // All owned contracts have OpenZeppelin's two getters.
        let owner = self.client.read(at, address, Registry::ownerCall {}).await;
        let pending = self.client.read(at, address, Registry::pendingOwnerCall {}).await;
        let (found, pending) = match owner.and_then(|owner| Ok((owner, pending?))) {
            Ok(found) => found,
            Err(error) if error.is_of_the_contracts() => {
                self.found.findings.push(Finding::error("other-owner", error.to_string()));
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        if found != expected {
            let what = "owner";
            let changed = NotGenuine::Changed { contract, address, what, expected, found };
            self.found.report("other-owner", changed);
        }
        if !pending.is_zero() {
            let text = format!(
                "{contract} at {address} is offered to {pending}, who can take it at any time; find the \
                 proposal that offered it"
            );
            self.found.findings.push(Finding::new(FindingLevel::Warning, "offered", text));
        }
        Ok(Some(found))
    }

    fn examiner(&self) -> SetExaminer<'_> {
        let examiner = examiner(self.client, &self.found.origins, self.first_block, self.head);
        let alleged = self.alleged_origins.iter();
        let examiner = alleged.fold(examiner, |examiner, origin| examiner.with_origin(*origin));
        examiner.with_origin(Create2Origin::default())
    }
}
