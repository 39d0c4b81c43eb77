"""What programs ask a node beside the transactions of an upgrade: states, logs, fees, signatures and refusals."""

from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from web3 import Web3
from web3.exceptions import BadFunctionCallOutput, BlockNotFound, TransactionNotFound, Web3Exception, Web3RPCError

from chain import FEES
from transcript import SCENARIO, refusal, some_hash, step
from upgrade import ATTESTERS, typed_data

UNKNOWN = SCENARIO["blockHash"]


def connected(chain):
    w3, eth = chain.w3, chain.eth
    with step("connect") as seen:
        seen["connected"] = w3.is_connected()
        seen["chain"] = eth.chain_id
        seen["block"] = eth.block_number
        seen["version"] = isinstance(w3.client_version, str)
        seen["net"] = [w3.net.version, w3.net.listening]
        seen["syncing"] = eth.syncing
        seen["prices"] = [eth.gas_price, eth.max_priority_fee, eth.blob_base_fee]


def shown_transaction(sent):
    """A transaction; the hash of its block, which contains a state root, is left open."""
    return {**sent, "blockHash": some_hash(sent.blockHash), "input": Web3.keccak(sent.input)}


def shown_block(block):
    """A block; what contains or follows from a state root, and the node's randomness, are left open. Anvil still has a difficulty."""
    hashes = {key: some_hash(block[key]) for key in ("hash", "parentHash", "stateRoot", "mixHash")}
    return {
        **block,
        **hashes,
        "totalDifficulty": None,
        "size": block.size > 500,
        "transactions": list(map(shown_transaction, block.transactions)),
    }


def read(chain, the_set):
    """States, blocks and logs, now and before."""
    w3, eth, people = chain.w3, chain.eth, chain.people
    asset, governance, rollup = the_set["Asset"], the_set["Governance"], the_set["Rollup"]
    team, holder = people["team"].address, people["holder"].address
    with step("read in a batch") as seen:
        with w3.batch_requests() as batch:
            batch.add(asset.functions.totalSupply())
            batch.add(governance.functions.totalPowerAt(SCENARIO["genesis"] + 600))
            batch.add(rollup.functions.getInfo(ATTESTERS[1]))
            batch.add(governance.functions.getConfiguration())
            batch.add(eth.get_block(3))
            *answers, block = batch.execute()
        seen["answers"] = [*answers, block.gasUsed]
        with w3.batch_requests() as batch:
            batch.add(asset.functions.totalSupply())
            batch.add(governance.functions.getProposal(7))
            seen["one fails"] = chain.reverted(refusal(batch.execute))
    with step("old state") as seen:
        for number in (1, 9, 20):
            slot = eth.get_storage_at(the_set["Registry"].address, 0, number)
            code = eth.get_code(rollup.address, number)
            seen[f"block {number}"] = [eth.get_balance(team, number), eth.get_transaction_count(team, number), len(code), slot]
        seen["balanceOf"] = asset.functions.balanceOf(team).call(block_identifier=9)
        seen["no contract yet"] = isinstance(refusal(asset.functions.balanceOf(team).call, block_identifier=0), BadFunctionCallOutput)
        seen["slot"] = rollup.functions.getCurrentSlot().call(block_identifier=30)
    with step("overrides") as seen:
        override = {rollup.address: {"stateDiff": {"0x" + "00" * 31 + "03": "0x" + "00" * 31 + "07"}}}
        seen["block"] = rollup.functions.blockNumber().call(state_override=override)
        seen["code"] = eth.call({"to": holder}, "latest", {holder: {"code": "0x602a60005260206000f3"}})

    with step("blocks") as seen:
        block = eth.get_block(10, full_transactions=True)
        seen["with transactions"] = shown_block(block)
        seen["by hash"] = shown_block(eth.get_block(block.hash, full_transactions=True))
        seen["child"] = eth.get_block(11).parentHash == block.hash
        seen["receipts"] = [chain.shown(receipt) for receipt in eth.get_block_receipts(10)]
        seen["tags"] = [eth.get_block(tag).number for tag in ("earliest", "latest", "safe", "finalized")]
        seen["pending"] = eth.get_block("pending").transactions
        seen["unknown"] = [isinstance(refusal(eth.get_block, block), BlockNotFound) for block in (1_000_000, UNKNOWN)]
        seen["raw"] = [Web3.keccak(eth.get_raw_transaction(sent.hash)) == sent.hash for sent in block.transactions]
        seen["unknown transaction"] = isinstance(refusal(eth.get_transaction, UNKNOWN), TransactionNotFound)
        seen["unknown receipt"] = isinstance(refusal(eth.get_transaction_receipt, UNKNOWN), TransactionNotFound)
    with step("decode") as seen:
        (sent,) = eth.get_block(10).transactions
        function, arguments = asset.decode_function_input(eth.get_transaction(sent).input)
        seen["input"] = [function.fn_name, arguments]
        receipt = eth.get_transaction_receipt(sent)
        seen["events"] = [[event.event, event.args] for event in asset.events.OwnershipTransferStarted().process_receipt(receipt)]

    def shown_logs(logs):
        return [chain.shown_log(log) for log in logs]

    with step("logs") as seen:
        transfers = asset.events.Transfer().get_logs(from_block=1)
        seen["events"] = [[event.event, event.args, event.blockNumber, event.logIndex] for event in transfers]
        to_holder = asset.events.Transfer().get_logs(from_block=1, argument_filters={"to": holder})
        seen["with an argument"] = [event.transactionHash for event in to_holder]
        topics = [[rollup.events.Deposit().topic, the_set["Proposals"].events.VoteCast().topic]]
        addresses = [rollup.address, the_set["Proposals"].address]
        logs = eth.get_logs({"address": addresses, "topics": topics, "fromBlock": 0, "toBlock": "latest"})
        seen["of two events"] = shown_logs(logs)
        seen["of nobody"] = eth.get_logs({"address": people["cold"].address, "fromBlock": 0})
        seen["of a block"] = shown_logs(eth.get_logs({"blockHash": logs[-1].blockHash}))

        def nothing(**criteria):
            try:
                return eth.get_logs(criteria) == []
            except Web3RPCError:
                return True

        # Refused by some nodes; others answer that there are none.
        seen["none in an unknown block"] = nothing(blockHash=UNKNOWN)
        seen["none in a range turned around"] = nothing(fromBlock=5, toBlock=2)
    with step("fee history") as seen:
        history = eth.fee_history(8, 20, [25, 75])
        seen["blocks"] = [history.oldestBlock, history.gasUsedRatio, history.reward]
        # Without the last one: anvil shows the fee of its next block there, not of the block after the range.
        seen["base fees"] = history.baseFeePerGas[:-1]
        seen["newest"] = eth.fee_history(2, "latest").baseFeePerGas
        seen["prices"] = [eth.gas_price, eth.max_priority_fee]


def follow(chain, the_set):
    """New blocks and logs by filters, and a transaction from its pool to its receipt."""
    eth, team, asset = chain.eth, chain.people["team"].address, the_set["Asset"]
    with step("filters") as seen:
        transfers = asset.events.Transfer().create_filter(from_block="latest", argument_filters={"from": team})
        logs = eth.filter({"address": asset.address})
        blocks, pending = eth.filter("latest"), eth.filter("pending")
        receipts = [chain.transact("team", asset.functions.transfer(team, amount)) for amount in (1, 2)]
        seen["events"] = [[event.event, event.args, event.blockNumber] for event in transfers.get_new_entries()]
        seen["logs"] = [chain.shown_log(log) for log in logs.get_new_entries()]
        seen["blocks"] = blocks.get_new_entries() == [receipt.blockHash for receipt in receipts]
        seen["pending"] = pending.get_new_entries()
        seen["nothing more"] = [one.get_new_entries() for one in (transfers, logs, blocks, pending)]
        seen["all"] = [event.args for event in transfers.get_all_entries()]
        seen["uninstalled"] = [eth.uninstall_filter(one.filter_id) for one in (transfers, logs, blocks, pending)]
        seen["gone"] = isinstance(refusal(logs.get_new_entries), Web3Exception)
    with step("failed transaction") as seen:
        transfer = asset.functions.transfer(team, 2 * int(SCENARIO["supply"]))
        receipt = chain.transact("team", transfer)
        seen["receipt"] = chain.shown(receipt)
        # What it reverted with: the same call at the block before it.
        error = refusal(transfer.call, {"from": team}, block_identifier=receipt.blockNumber - 1)
        seen["reason"] = chain.reverted(error)


def refusals(chain, the_set):
    """Refusals, and the classes of exceptions that the client makes of them."""
    eth, team, cold = chain.eth, chain.people["team"].address, chain.people["cold"].address
    keeper, asset = chain.people["keeper"].address, the_set["Asset"]
    with step("refusals") as seen:

        def refused(what, call, *arguments):
            error = refusal(call, *arguments)
            seen[what] = [cls.__name__ for cls in type(error).__mro__ if cls.__module__ == "web3.exceptions"]
            return error

        error = refused("nonce too low", eth.send_transaction, {"from": team, "to": team, "nonce": 0, **FEES})
        seen["nonce too low, text"] = "nonce too low" in str(error).lower()
        error = refused("insufficient funds", eth.send_transaction, {"from": cold, "to": team, **FEES})
        seen["insufficient funds, text"] = "insufficient funds" in str(error).lower()
        error = refused("unknown method", chain.w3.manager.request_blocking, "eth_unknown", [])
        seen["unknown method, code"] = error.rpc_response["error"]["code"]
        error = refused("invalid parameters", chain.w3.manager.request_blocking, "eth_getBalance", ["0x1"])
        seen["invalid parameters, code"] = error.rpc_response["error"]["code"]
        # Nodes give codes of their own to these.
        seen["unknown block"] = isinstance(refusal(eth.get_balance, team, 1_000_000), Web3Exception)
        seen["call at an unknown block"] = isinstance(refusal(eth.call, {"to": team}, 1_000_000), Web3Exception)
        transfer = asset.functions.transfer(team, 1)
        seen["revert of a call"] = chain.reverted(refusal(transfer.call, {"from": keeper}))
        seen["revert of an estimate"] = chain.reverted(refusal(transfer.estimate_gas, {"from": keeper}))
        seen["revert before sending"] = chain.reverted(refusal(transfer.transact, {"from": keeper}))
        data = transfer.build_transaction({"from": keeper, "nonce": 0, **FEES})["data"]
        plain_call = refused("revert of a plain call", eth.call, {"from": keeper, "to": asset.address, "data": data})
        seen["data of a plain call"] = plain_call.data


def sign(chain, the_set):
    """Signatures by local keys and by an account of the node."""
    eth, holder, cold = chain.eth, chain.people["holder"], chain.people["cold"].address
    with step("sign") as seen:
        message = encode_defunct(text="Canon")
        signed = holder.sign_message(message)
        seen["local"] = bytes(signed.signature)
        seen["signer"] = Account.recover_message(message, signature=signed.signature)
        seen["accounts"] = len(eth.accounts)
        listed = eth.accounts[0]
        receipt = chain.mined(eth.send_transaction, {"from": listed, "to": cold, "value": 5, **FEES})
        seen["eth_sendTransaction"] = [receipt.status, receipt.gasUsed, receipt.type]
        seen["received"] = eth.get_balance(cold)
        transaction = {"to": cold, "value": 1, "chainId": eth.chain_id, "nonce": eth.get_transaction_count(holder.address), **FEES}
        raw = holder.sign_transaction(transaction)
        receipt = chain.mined(eth.send_raw_transaction, raw.raw_transaction)
        seen["raw"] = [raw.raw_transaction, receipt.transactionHash == raw.hash, chain.shown(receipt)]
        seen["eth_sign"] = Account.recover_message(message, signature=eth.sign(listed, text="Canon")) == listed
        # Both answer with the encoding, and not, as geth does, with the object that the client expects.
        transaction = {"from": listed, "to": cold, "nonce": "0x7", **{name: hex(value) for name, value in FEES.items()}}
        answer = chain.w3.provider.make_request("eth_signTransaction", [transaction])
        seen["eth_signTransaction"] = Account.recover_transaction(answer["result"]) == listed
        seen["sign_transaction"] = type(refusal(eth.sign_transaction, {"from": listed, "to": cold, "nonce": 7, **FEES})).__name__
        slot = {"payload": the_set["Payload"].address, "slot": 7, "instance": the_set["Rollup"].address}
        data = typed_data("proposals", the_set["Proposals"], "Signal", slot)
        signature = chain.w3.manager.request_blocking("eth_signTypedData_v4", [listed, data])
        seen["eth_signTypedData_v4"] = Account.recover_message(encode_typed_data(full_message=data), signature=signature) == listed
