// Loaded into Azurite by `later.py`: its clock runs ahead by so many milliseconds.
const ahead = Number(process.env.CLOCK_AHEAD_MILLISECONDS);
const Machine = Date;

globalThis.Date = class extends Machine {
  constructor(...given) {
    if (given.length) super(...given);
    else super(Machine.now() + ahead);
  }

  static now() {
    return Machine.now() + ahead;
  }
};
