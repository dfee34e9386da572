// Drives npm node-zklib or zkteco-js, whichever its first argument names; the second is a job. The form of both the job
// and what is printed is that of `pyzk_client.py`; what a record of theirs does not have is `-`.

const name = process.argv[2];
const fs = require("fs");
const Client = require(name);
const job = JSON.parse(process.argv[3]);

// They print what they do. Standard output is ours, and what is written is written before the process ends.
console.log = console.error;
const say = (said) => fs.writeFileSync(1, JSON.stringify(said) + "\n");

// TCP first, as they do; without a listener on TCP they go on to UDP.
const terminal = new Client("127.0.0.1", job.port, job.timeout * 1000, 0);

// The process runs in UTC, so that their local time is the terminal's.
const at = (time) => new Date(time).toISOString().slice(0, 19);
const field = (value) => (value === undefined ? "-" : value);

function row(record) {
    const pin = record.deviceUserId ?? record.user_id ?? record.userId;
    const time = record.recordTime ?? record.record_time ?? record.attTime;
    return [pin, at(time), field(record.state), field(record.type)].join("\t");
}

/** Every punch that is told; the step ends with the count, or when its time is over. */
function live(count) {
    return new Promise((resolve, reject) => {
        const rows = [];
        const late = setTimeout(() => reject(new Error(`${rows.length} of ${count} punches`)), job.timeout * 1000);
        terminal.getRealTimeLogs((record) => {
            rows.push(row(record));
            if (rows.length === count) {
                clearTimeout(late);
                resolve(rows);
            }
        });
    });
}

/** What they read before they met an error comes with the error in a field. */
async function read(reading, line) {
    const { data, err } = await reading;
    return err ? { ok: data.map(line), err: err.message } : { ok: data.map(line) };
}

const steps = {
    connect: async () => ({ ok: Boolean((await terminal.createSocket()) ?? true), via: terminal.connectionType }),
    attendance: () => read(terminal.getAttendances(), row),
    users: () => read(terminal.getUsers(), (user) => [user.uid, user.userId, user.name].join("\t")),
    live: async (count) => ({ ok: await live(count) }),
    set_user: async (slot, pin, name) => ({ ok: Boolean(await terminal.setUser(slot, pin, name, "")) }),
    delete_user: async (slot) => ({ ok: Boolean(await terminal.deleteUser(slot)) }),
    disconnect: async () => ({ ok: await terminal.disconnect() }),
};

/** What dies without being asked, in a callback of theirs, ends the process, as it does theirs. */
process.on("uncaughtException", (error) => {
    say({ error: "uncaught", text: String(error) });
    process.exit(1);
});

(async () => {
    for (const [step, ...args] of job.steps) {
        let said;
        try {
            said = await steps[step](...args);
        } catch (error) {
            // Both wrap the error they met, some of them twice.
            let met = error;
            while (met?.err) met = met.err;
            said = { error: met?.constructor?.name ?? typeof met, text: String(met?.message ?? met) };
        }
        say(said);
    }
    process.exit(0);
})();
