// Times npm node-zklib or zkteco-js on a dataset: `node.js PACKAGE LAYOUT FILE ROUNDS` prints the rows and the best CPU
// seconds. They read from memory: `readWithBuffer`, which talks to the terminal, is replaced.

const [name, layout, path, rounds] = process.argv.slice(2);
const dataset = require("fs").readFileSync(path);

// Records of 40 bytes are read by their class for TCP, the others by the one for UDP, and those of 8 bytes in the mode
// that stands for small answers (which reads other places of a record than those where its fields are).
const classes = { "node-zklib": ["zklibtcp", "zklibudp"], "zkteco-js": ["src/ztcp", "src/zudp"] };
const Client = require(name + "/" + classes[name][layout === "40" ? 0 : 1]);
Client.prototype.readWithBuffer = async () => ({ data: dataset, err: null, mode: layout === "8a" ? 8 : 0 });
const client = new Client("127.0.0.1", 4370, 1000);

(async () => {
    let best = Infinity;
    let count;
    for (let round = 0; round < Number(rounds); round += 1) {
        const begin = process.cpuUsage();
        const { data } = await client.getAttendances();
        best = Math.min(best, process.cpuUsage(begin).user / 1e6);
        count = data.length;
    }
    console.log(count, best);
})();
