"""What only development nodes can do: other states and times, a pool without mining, snapshots; and rarer methods."""

from web3 import Web3
from web3.exceptions import Web3Exception

from chain import FEES
from transcript import SCENARIO, plain, refusal, step
from upgrade import ATTESTERS

NOBODY = Web3.to_checksum_address("0x00000000000000000000000000000000000000b0")
ETHER = 10**18
BASE_FEE = 10**9


def develop(chain, the_set):
    w3, eth, node = chain.w3, chain.eth, chain.development
    asset, people = the_set["Asset"], chain.people
    team, holder, cold, keeper = (people[who].address for who in ("team", "holder", "cold", "keeper"))

    with step("snapshot") as seen:
        before, number = eth.block_number, node.snapshot()
        node.set_balance(NOBODY, 7)
        chain.transact("team", asset.functions.transfer(NOBODY, 1))
        seen["changed"] = [eth.block_number - before, eth.get_balance(NOBODY)]
        seen["reverts"] = node.revert(number)
        seen["reverted"] = [eth.block_number - before, eth.get_balance(NOBODY), asset.functions.balanceOf(NOBODY).call()]
        seen["used up"] = node.revert(number)
        # Anvil keeps the base fee of blocks that were reverted.
        node.set_next_block_base_fee(BASE_FEE)
    with step("edit accounts") as seen:
        node.set_balance(NOBODY, hex(3 * ETHER // 2))
        node.set_nonce(NOBODY, 3)
        node.set_code(NOBODY, "0x602a60005260206000f3")
        node.set_storage_at(NOBODY, 1, SCENARIO["blockHash"])
        seen["account"] = [eth.get_balance(NOBODY), eth.get_transaction_count(NOBODY), eth.get_code(NOBODY), eth.get_storage_at(NOBODY, 1)]
        seen["call"] = eth.call({"to": NOBODY})
    with step("impersonate") as seen:
        governance = the_set["Governance"].address
        node.impersonate(governance)
        node.set_balance(governance, hex(ETHER))
        slash = the_set["Rollup"].functions.slash(ATTESTERS[1], 1)
        options = {"from": governance, **FEES, "gas": 500_000, "maxFeePerGas": 2_000_000_000}
        seen["receipt"] = chain.shown_unsigned(chain.mined(slash.transact, options))
        node.stop_impersonating(governance)
        seen["stopped"] = isinstance(refusal(slash.transact, options), Web3Exception)
    with step("pool") as seen:
        node.set_automine(False)
        nonce = eth.get_transaction_count(team)
        first = eth.send_transaction({"from": team, "to": NOBODY, "value": 1, "nonce": nonce, **FEES})
        second = eth.send_transaction({"from": team, "to": NOBODY, "value": 2, "nonce": nonce + 1, **FEES})
        eth.send_transaction({"from": holder, "to": NOBODY, "nonce": 100, **FEES})
        pool = w3.geth.txpool
        seen["status"] = pool.status()

        def hashes(accounts):
            return [
                [address.lower(), [[nonce, plain(sent)["hash"]] for nonce, sent in by_nonce.items()]]
                for address, by_nonce in accounts.items()
            ]

        content = pool.content()
        seen["content"] = [hashes(content.pending), hashes(content.queued)]
        seen["inspect"] = [list(by_nonce) for by_nonce in pool.inspect().pending.values()]
        seen["nonces"] = [eth.get_transaction_count(team, block) for block in ("latest", "pending")]
        seen["waiting"] = eth.get_transaction(first).get("blockNumber")
        replacement = eth.replace_transaction(
            second,
            {
                "from": team,
                "to": NOBODY,
                "value": 4,
                "nonce": nonce + 1,
                **FEES,
                "maxFeePerGas": 2 * FEES["maxFeePerGas"],
                "maxPriorityFeePerGas": 2 * FEES["maxPriorityFeePerGas"],
            },
        )
        seen["replaced"] = hashes(pool.content().pending)
        chain.at(5000)
        node.mine()
        seen["receipts"] = [
            chain.shown(eth.wait_for_transaction_receipt(one, timeout=10, poll_latency=0.01)) for one in (first, replacement)
        ]
        node.drop_all_transactions()
        seen["empty"] = pool.status()
    node.set_automine(True)
    with step("time") as seen:

        def times(count):
            return [eth.get_block(eth.block_number - back).timestamp - SCENARIO["genesis"] for back in range(count)]

        chain.at(5100)
        node.mine()
        first, second = node.increase_time(400), node.increase_time(600)
        seen["the answer is the total"] = second - first
        node.mine()
        later, before = times(2)
        seen["1,000 s later, and no 100 more"] = 1_000 <= later - before < 1_100
        chain.at(7000)
        node.mine_many(3, 60)
        seen["at intervals"] = times(3)
        node.mine(SCENARIO["genesis"] + 7500)
        seen["at a time"] = times(1)
        seen["not back"] = isinstance(refusal(node.set_next_block_timestamp, SCENARIO["genesis"]), Web3Exception)
        node.set_block_timestamp_interval(12)
        node.mine_many(2)
        node.remove_block_timestamp_interval()
        seen["every 12 s"] = times(2)
    with step("block settings") as seen:
        chain.at(8000)
        node.set_next_block_base_fee(3_000_000_000)
        node.set_coinbase(NOBODY)
        receipt = chain.transact("team", asset.functions.transfer(NOBODY, 1))
        block = eth.get_block(receipt.blockNumber)
        seen["block"] = [block.baseFeePerGas, block.miner, eth.get_balance(NOBODY)]
        node.set_coinbase("0x" + "00" * 20)
    with step("mine by a clock") as seen:
        number, blocks = node.snapshot(), eth.filter("latest")
        node.set_interval_mining(1)
        while not blocks.get_new_entries():
            pass
        node.set_interval_mining(0)
        node.set_automine(True)
        seen["reverts"] = node.revert(number)
        node.set_next_block_base_fee(BASE_FEE)
    with step("dump and load") as seen:
        dump = node.dump_state()
        node.set_balance(cold, 1)
        seen["loads"] = node.load_state(dump)
        seen["state"] = [eth.get_balance(cold), asset.functions.totalSupply().call()]
        # Anvil forgets one that was set.
        node.set_next_block_base_fee(BASE_FEE)
    with step("access list") as seen:
        call = {"from": team, "to": asset.address, "data": asset.encode_abi("transfer", [NOBODY, 1])}
        answer = eth.create_access_list(call)
        seen["list"] = sorted([entry["address"].lower(), sorted(plain(entry["storageKeys"]))] for entry in answer["accessList"])
        seen["with it"] = chain.shown(chain.mined(eth.send_transaction, {**call, "accessList": answer["accessList"], **FEES}))
        legacy = {"from": team, "to": NOBODY, "value": 1, "gas": 50_000, "gasPrice": 5_000_000_000}
        seen["legacy"] = chain.shown(chain.mined(eth.send_transaction, legacy))
    with step("simulate blocks") as seen:
        balance = {"to": asset.address, "data": asset.encode_abi("balanceOf", [NOBODY])}
        payload = {"blockStateCalls": [{"calls": [call, balance]}, {"calls": [balance]}], "validation": False}
        blocks = eth.simulate_v1(payload, "latest")
        seen["calls"] = [[[one.status, one.gasUsed, one.returnData, len(one.logs)] for one in block.calls] for block in blocks]
    with step("trace") as seen:
        receipt = chain.transact("team", asset.functions.transfer(NOBODY, 1))
        calls = plain(w3.manager.request_blocking("debug_traceTransaction", [receipt.transactionHash, {"tracer": "callTracer"}]))
        # The limit of the transaction, from which anvil subtracts what it costs before its first step.
        seen["gas"] = FEES["gas"] - 30_000 < int(calls.pop("gas"), 16) <= FEES["gas"]
        seen["calls"] = calls
    with step("delegate") as seen:
        nonce = eth.get_transaction_count(keeper)
        authorization = people["keeper"].sign_authorization({"chainId": eth.chain_id, "address": NOBODY, "nonce": nonce + 1})
        transaction = {"from": keeper, "to": keeper, "nonce": nonce, "authorizationList": [authorization], **FEES}
        receipt = chain.mined(eth.send_transaction, transaction)
        seen["receipt"] = chain.shown(receipt)
        seen["code"] = eth.get_code(keeper)
    with step("reset") as seen:
        node.reset()
        seen["state"] = [eth.block_number, eth.get_code(asset.address)]
