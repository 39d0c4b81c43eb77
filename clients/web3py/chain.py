"""Web3 for a node, and the transactions of the scenario's people."""

from eth_account import Account
from web3 import Web3
from web3.exceptions import ContractCustomError
from web3.method import Method, default_root_munger
from web3.middleware import SignAndSendRawMiddlewareBuilder
from web3.module import Module
from web3.utils import abi_to_signature, function_signature_to_4byte_selector, get_abi_input_types

from transcript import EVERYTHING, SCENARIO, artifact, some_hash

# The same fees and gas for each transaction, so that its hash is the same on both nodes.
FEES = SCENARIO["fees"]


def method(name):
    return Method(name, mungers=[default_root_munger])


class Development(Module):
    """The methods of development nodes."""

    set_balance = method("anvil_setBalance")
    set_nonce = method("anvil_setNonce")
    set_code = method("anvil_setCode")
    set_storage_at = method("anvil_setStorageAt")
    set_coinbase = method("anvil_setCoinbase")
    set_next_block_base_fee = method("anvil_setNextBlockBaseFeePerGas")
    set_block_timestamp_interval = method("anvil_setBlockTimestampInterval")
    remove_block_timestamp_interval = method("anvil_removeBlockTimestampInterval")
    impersonate = method("anvil_impersonateAccount")
    stop_impersonating = method("anvil_stopImpersonatingAccount")
    drop_all_transactions = method("anvil_dropAllTransactions")
    dump_state = method("anvil_dumpState")
    load_state = method("anvil_loadState")
    reset = method("anvil_reset")
    mine_many = method("anvil_mine")
    mine = method("evm_mine")
    snapshot = method("evm_snapshot")
    revert = method("evm_revert")
    set_automine = method("evm_setAutomine")
    set_interval_mining = method("evm_setIntervalMining")
    increase_time = method("evm_increaseTime")
    set_next_block_timestamp = method("evm_setNextBlockTimestamp")


class Chain:
    def __init__(self, url):
        self.w3 = Web3(Web3.HTTPProvider(url), external_modules={"development": Development})
        self.eth, self.development = self.w3.eth, self.w3.development
        self.people = {name: Account.from_key(key) for name, key in SCENARIO["keys"].items()}
        self.w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(list(self.people.values())), layer=0)
        self.events = {event.topic: event for event in self.eth.contract(abi=EVERYTHING).events}
        self.time = 0

    def at(self, seconds):
        """Sets the time of the next block, in seconds since genesis."""
        self.time = seconds
        self.development.set_next_block_timestamp(SCENARIO["genesis"] + seconds)

    def mined(self, send, *arguments):
        """Sends a transaction in a block of its own, and waits for its receipt."""
        self.at(self.time + SCENARIO["blockTime"])
        return self.eth.wait_for_transaction_receipt(send(*arguments), timeout=10, poll_latency=0.01)

    def transact(self, who, call):
        """Calls a contract in a transaction."""
        return self.mined(call.transact, {"from": self.people[who].address, **FEES})

    def contract(self, name, address=None):
        return self.eth.contract(address=address, **artifact(name))

    def shown_log(self, log):
        """A log with its event decoded. The hash of its block, and the node's randomness, which is an epoch's seed, are left open."""
        event = self.events["0x" + log["topics"][0].hex()]
        random = event.event_name == "SeedRecorded"
        decoded = {"data": some_hash(log["data"])} if random else {"args": event().process_log(log)["args"]}
        return {**log, "event": event.event_name, "blockHash": some_hash(log["blockHash"]), **decoded}

    def shown(self, receipt):
        """A receipt with its events decoded. The hash of its block is left open. Anvil adds two fields."""
        same = all(log["blockHash"] == receipt["blockHash"] for log in receipt["logs"])
        logs = [self.shown_log(log) for log in receipt["logs"]]
        receipt = {key: value for key, value in receipt.items() if key not in ("blobGasPrice", "blockTimestamp")}
        return {**receipt, "blockHash": some_hash(receipt["blockHash"]), "logsOfTheBlock": same, "logs": logs}

    def shown_unsigned(self, receipt):
        """The receipt of a transaction that its sender didn't sign: each node makes up a signature, so the hash is left open."""
        shown, unknown = self.shown(receipt), {"transactionHash": some_hash(receipt["transactionHash"])}
        return {**shown, **unknown, "logs": [{**log, **unknown} for log in shown["logs"]]}

    def reverted(self, error):
        """The custom error with which a contract reverted."""
        if not isinstance(error, ContractCustomError):
            raise error
        data = Web3.to_bytes(hexstr=error.data)
        for item in EVERYTHING:
            if item["type"] == "error" and function_signature_to_4byte_selector(abi_to_signature(item)) == data[:4]:
                return [item["name"], self.w3.codec.decode(get_abi_input_types(item), data[4:]), error.data]
        raise error
