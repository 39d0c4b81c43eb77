// Carries out an upgrade with viem on the node at the URL that it is given, and prints a transcript.
import { connect } from "./chain.mjs";
import { develop } from "./development.mjs";
import { connected, follow, read, refusals, sign } from "./node.mjs";
import { deploy, lock, move, prepare, signal, stake, vote } from "./upgrade.mjs";

const url = process.argv[2];
const chain = connect(url);
await connected(chain);
const set = await deploy(chain);
await stake(chain, set);
await lock(chain, set);
await prepare(chain, set);
await signal(chain, set);
await vote(chain, set);
await move(chain, set);
await read(chain, set, url);
await follow(chain, set);
await refusals(chain, set);
await sign(chain, set);
await develop(chain, set);
