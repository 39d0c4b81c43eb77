"""A whole upgrade, from the deployment of the set to the first move of a stake."""

from eth_account import Account
from eth_account.messages import encode_typed_data
from web3 import Web3
from web3.utils.address import get_create2_address

from chain import FEES
from transcript import SCENARIO, refusal, some_hash, step

TIMES, SIGNALING, PARAMETERS = SCENARIO["times"], SCENARIO["signaling"], SCENARIO["rollup"]
ATTESTERS = [Web3.to_checksum_address(attester) for attester in SCENARIO["attesters"]]
STAKE = int(SCENARIO["stake"])


def words(value):
    """A struct as a tuple of integers, since constructors take no dictionaries."""
    return tuple(map(words, value.values())) if isinstance(value, dict) else int(value)


def instance(the_set, exit_delay):
    """The parameters of a rollup of the set."""
    wiring = [the_set[name].address for name in ("Asset", "Registry", "RewardDistributor", "Governance")]
    return (*wiring, SCENARIO["genesis"], *words(PARAMETERS), exit_delay)


def deploy(chain):
    """Deploys the set with the team's key, wires it, and hands out tokens."""
    people, team = chain.people, chain.people["team"].address
    with step("give ether") as seen:
        for who in SCENARIO["funded"]:
            chain.development.set_balance(people[who].address, hex(int(SCENARIO["ether"])))
            seen[who] = [people[who].address, chain.eth.get_balance(people[who].address)]

    the_set = {}

    def create(name, *arguments):
        with step(f"deploy {name}") as seen:
            receipt = chain.transact("team", chain.contract(name).constructor(*arguments))
            seen["receipt"] = chain.shown(receipt)
            the_set[name] = chain.contract(name, receipt.contractAddress)
            seen["code"] = Web3.keccak(chain.eth.get_code(receipt.contractAddress))

    def address(name):
        return the_set[name].address

    create("Asset", "Token", "TOK", team, team, int(SCENARIO["supply"]))
    create("Registry", team)
    create("Proposals", address("Registry"), SIGNALING["n"], SIGNALING["m"])
    create("Governance", address("Asset"), address("Proposals"), words(SCENARIO["configuration"]))
    create("Issuer", address("Asset"), int(SCENARIO["rate"]), address("Governance"))
    create("RewardDistributor", address("Asset"), address("Registry"), int(SCENARIO["blockReward"]), address("Governance"))
    create("Expect")
    create("Rollup", instance(the_set, SCENARIO["exitDelays"][0]))

    def call(who, name, function, *arguments):
        return chain.shown(chain.transact(who, the_set[name].functions[function](*arguments)))

    with step("wire the set") as seen:
        seen["upgrade"] = call("team", "Registry", "upgrade", address("Rollup"))
        seen["offer Asset"] = call("team", "Asset", "transferOwnership", address("Issuer"))
        seen["offer Registry"] = call("team", "Registry", "transferOwnership", address("Governance"))
        seen["accept Asset"] = call("keeper", "Issuer", "acceptAsset")
        seen["accept Registry"] = call("keeper", "Governance", "acceptOwnership", address("Registry"))
    with step("hand out tokens") as seen:
        for who, amount in {"operator": 3 * STAKE, "holder": int(SCENARIO["locks"]["holder"])}.items():
            seen[who] = call("team", "Asset", "transfer", people[who].address, amount)
        seen["rewards"] = call("team", "Asset", "transfer", address("RewardDistributor"), int(SCENARIO["rewards"]))
    return the_set


def stake(chain, the_set):
    """Stakes for three sequencers."""
    operator, rollup = chain.people["operator"].address, the_set["Rollup"]
    with step("approve the stakes, filled by the client") as seen:
        approve = the_set["Asset"].functions.approve(rollup.address, 3 * STAKE)
        seen["result"] = approve.call({"from": operator})
        receipt = chain.mined(approve.transact, {"from": operator})
        seen["hash"] = some_hash(receipt.transactionHash)
        seen["outcome"] = [receipt.status, receipt.gasUsed, [[log.topics, log.data] for log in receipt.logs]]
        sent = chain.eth.get_transaction(receipt.transactionHash)
        seen["gas suffices"] = sent.gas >= receipt.gasUsed
        seen["the fee covers the base fee"] = sent.maxFeePerGas >= receipt.effectiveGasPrice
    with step("stake") as seen:
        for index, attester in enumerate(ATTESTERS):
            proposer = chain.people[f"proposer{index + 1}"].address
            seen[attester] = chain.shown(chain.transact("operator", rollup.functions.deposit(attester, proposer, operator, STAKE)))
        seen["attesters"] = rollup.functions.getAttesters().call()


def typed_data(domain, contract, primary_type, message):
    """What a wallet signs for one of the set's contracts."""
    domain = {"name": SCENARIO["domains"][domain], "version": "1", "chainId": SCENARIO["chainId"], "verifyingContract": contract.address}
    fields = {
        "EIP712Domain": [{"name": key, "type": {"chainId": "uint256", "verifyingContract": "address"}.get(key, "string")} for key in domain]
    }
    return {
        "types": fields | {primary_type: SCENARIO["types"][primary_type]},
        "primaryType": primary_type,
        "domain": domain,
        "message": message,
    }


def lock(chain, the_set):
    """Locks tokens: the holder's by a permit, and the team's for an account without ether."""
    asset, governance, holder = the_set["Asset"], the_set["Governance"], chain.people["holder"]
    with step("lock with a permit") as seen:
        value, deadline = int(SCENARIO["locks"]["holder"]), SCENARIO["deadline"]
        nonce = asset.functions.nonces(holder.address).call()
        permit = {"owner": holder.address, "spender": governance.address, "value": value, "nonce": nonce, "deadline": deadline}
        data = typed_data("asset", asset, "Permit", permit)
        signed = holder.sign_typed_data(full_message=data)
        seen["signature"] = bytes(signed.signature)
        seen["signer"] = Account.recover_message(encode_typed_data(full_message=data), signature=signed.signature)
        r, s = (number.to_bytes(32, "big") for number in (signed.r, signed.s))
        deposit = governance.functions.depositWithPermit(holder.address, value, deadline, signed.v, r, s)
        seen["receipt"] = chain.shown(chain.transact("holder", deposit))
    with step("lock for another") as seen:
        amount = int(SCENARIO["locks"]["cold"])
        seen["approve"] = chain.shown(chain.transact("team", asset.functions.approve(governance.address, amount)))
        seen["deposit"] = chain.shown(chain.transact("team", governance.functions.deposit(chain.people["cold"].address, amount)))


def prepare(chain, the_set):
    """Deploys the new rollup through the factory, and the payload."""
    factory, salt = SCENARIO["factory"], SCENARIO["salt"]
    init_code = chain.contract("Rollup").constructor(instance(the_set, SCENARIO["exitDelays"][1])).data_in_transaction
    with step("deploy the new rollup") as seen:
        address = get_create2_address(factory, salt, init_code)
        seen["address"] = address
        seen["no code yet"] = chain.eth.get_code(address)
        transaction = {"from": chain.people["team"].address, "to": factory, "data": salt + init_code[2:], **FEES}
        seen["receipt"] = chain.shown(chain.mined(chain.eth.send_transaction, transaction))
        the_set["NewRollup"] = chain.contract("Rollup", address)
        seen["owner"] = the_set["NewRollup"].functions.owner().call()
    with step("deploy the payload") as seen:
        addresses = [the_set[name].address for name in ("Expect", "Registry", "NewRollup", "Rollup")]
        arguments = [*addresses, factory, salt, Web3.keccak(hexstr=init_code), SCENARIO["uri"]]
        receipt = chain.transact("team", chain.contract("UpgradePayload").constructor(*arguments))
        seen["receipt"] = chain.shown(receipt)
        the_set["Payload"] = chain.contract("UpgradePayload", receipt.contractAddress)
        seen["actions"] = the_set["Payload"].functions.getActions().call()
        seen["URI"] = the_set["Payload"].functions.getURI().call()


def signal(chain, the_set):
    """Signals in the slots of the drawn proposers, and pushes the round."""
    rollup, proposals, payload = the_set["Rollup"], the_set["Proposals"], the_set["Payload"].address
    keeper = {"from": chain.people["keeper"].address}
    with step("record a seed") as seen:
        epoch, index, value = SCENARIO["seed"].values()
        chain.at(TIMES["setupEpoch"] - SCENARIO["blockTime"])
        receipt = chain.transact("keeper", rollup.functions.setupEpoch())
        seen["receipt"] = chain.shown(receipt)
        recorded, seed = rollup.functions.getSeed(epoch).call()
        seen["recorded"] = recorded
        seen["the event's seed"] = int.from_bytes(receipt.logs[0].data) == seed
        seen["stored"] = int.from_bytes(chain.eth.get_storage_at(rollup.address, index)) == seed
        # The same seed on both nodes draws the same proposers.
        chain.development.set_storage_at(rollup.address, hex(index), value)
        seen["seed"] = rollup.functions.getSeed(epoch).call()

    for index, time in enumerate(TIMES["signals"]):
        with step(f"signal {index + 1}") as seen:
            chain.at(time - SCENARIO["blockTime"])
            chain.development.mine()
            address = rollup.functions.getCurrentProposer().call()
            seen["proposer"] = address
            who, proposer = next((who, person) for who, person in chain.people.items() if person.address == address)
            vote = proposals.functions.vote(payload)
            seen["refused"] = chain.reverted(refusal(vote.call, keeper))
            if index == 0:
                seen["mined refusal"] = chain.shown(chain.transact("keeper", vote))
                seen["block"] = chain.shown(chain.transact(who, rollup.functions.proposeBlock(SCENARIO["blockHash"])))
            if index == 1:
                message = {"payload": payload, "slot": rollup.functions.getCurrentSlot().call(), "instance": rollup.address}
                signature = bytes(proposer.sign_typed_data(full_message=typed_data("proposals", proposals, "Signal", message)).signature)
                seen["signature"] = signature
                seen["receipt"] = chain.shown(chain.transact("keeper", proposals.functions.voteWithSig(payload, signature)))
            else:
                seen["result"] = vote.call({"from": address})
                seen["receipt"] = chain.shown(chain.transact(who, vote))
            seen["status"] = proposals.functions.currentStatus().call()

    with step("push") as seen:
        number = TIMES["signals"][0] // PARAMETERS["slotDuration"] // SIGNALING["m"]
        push = proposals.functions.pushProposal(number)
        seen["too early"] = chain.reverted(refusal(push.call, keeper))
        chain.at(TIMES["push"] - SCENARIO["blockTime"])
        chain.development.mine()
        seen["winner"] = proposals.functions.winnerOf(number).call()
        estimate = push.estimate_gas(keeper)
        receipt = chain.transact("keeper", push)
        seen["receipt"] = chain.shown(receipt)
        seen["the estimate suffices"] = estimate >= receipt.gasUsed


def vote(chain, the_set):
    """Votes, directly and by a signature, and executes the proposal."""
    governance, holder, cold = the_set["Governance"], chain.people["holder"], chain.people["cold"]
    functions, keeper = governance.functions, {"from": chain.people["keeper"].address}
    with step("vote") as seen:
        ballot = functions.vote(0, int(SCENARIO["locks"]["holder"]), True)
        seen["too early"] = chain.reverted(refusal(ballot.call, {"from": holder.address}))
        chain.at(TIMES["votes"] - SCENARIO["blockTime"])
        chain.development.mine()
        seen["state"] = functions.getProposalState(0).call()
        seen["receipt"] = chain.shown(chain.transact("holder", ballot))
        seen["ballots"] = functions.ballots(0, holder.address).call()
    with step("vote by a signature") as seen:
        amount, deadline = int(SCENARIO["locks"]["cold"]), SCENARIO["deadline"]
        message = {"proposalId": 0, "actionsHash": functions.actionsHash(0).call(), "amount": amount, "support": False}
        message |= {"voter": cold.address, "nonce": functions.ballotNonce(0, cold.address).call(), "deadline": deadline}
        signature = bytes(cold.sign_typed_data(full_message=typed_data("governance", governance, "Ballot", message)).signature)
        seen["signature"] = signature
        wrong = functions.voteWithSig(0, amount, True, cold.address, deadline, signature)
        seen["another choice"] = chain.reverted(refusal(wrong.call, keeper))
        seen["receipt"] = chain.shown(chain.transact("keeper", functions.voteWithSig(0, amount, False, cold.address, deadline, signature)))
        seen["proposal"] = functions.getProposal(0).call()
    with step("execute") as seen:
        execute = functions.execute(0)
        seen["too early"] = chain.reverted(refusal(execute.call, keeper))
        seen["not estimated"] = chain.reverted(refusal(execute.estimate_gas, keeper))
        chain.at(TIMES["execute"] - SCENARIO["blockTime"])
        chain.development.mine()
        estimate = execute.estimate_gas(keeper)
        receipt = chain.transact("keeper", execute)
        seen["receipt"] = chain.shown(receipt)
        seen["the estimate suffices"] = estimate >= receipt.gasUsed
        seen["canonical"] = the_set["Registry"].functions.getRollup().call()
        seen["snapshot"] = the_set["Registry"].functions.getCurrentSnapshot().call()


def move(chain, the_set):
    """Moves a stake to the new rollup."""
    old, new = the_set["Rollup"].functions, the_set["NewRollup"]
    with step("move") as seen:
        finalise = the_set["Rollup"].functions["finaliseMove(address)"](ATTESTERS[0])
        chain.at(TIMES["move"] - SCENARIO["blockTime"])
        seen["initiate"] = chain.shown(chain.transact("operator", old.initiateMove(ATTESTERS[0], new.address)))
        seen["failed"] = chain.shown(chain.transact("keeper", finalise))
        chain.at(TIMES["finishMove"] - SCENARIO["blockTime"])
        seen["finalise"] = chain.shown(chain.transact("keeper", finalise))
        seen["stake"] = new.functions.getInfo(ATTESTERS[0]).call()
        seen["attesters"] = new.functions.getAttesters().call()
