// Round marks of an axis: numbers of 1, 2 or 5 times a power of ten, and times of whole seconds, minutes, hours or days.

const STEPS = [1e3, 5e3, 15e3, 3e4, 6e4, 3e5, 6e5, 9e5, 18e5, 36e5, 108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5, 2592e6];

export function numbers(low, high, most) {
  const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].findLast((each) => each * power <= rough * 1.5) ?? 1);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9)), found = [];
  for (let count = Math.ceil(low / step - 1e-9); count * step <= high + step * 1e-9; count += 1) {
    found.push({ at: count * step, text: Math.abs(step) >= 1e6 ? (count * step).toExponential(1) : (count * step).toFixed(digits) });
  }
  return found;
}

// Of the viewer's own days and hours.
export function times(from, to, most) {
  const step = STEPS.find((each) => (to - from) / each <= most) ?? STEPS.at(-1);
  const offset = new Date(from).getTimezoneOffset() * 6e4;
  const format = new Intl.DateTimeFormat(undefined, step >= 864e5 ? { day: "numeric", month: "short" }
    : { hour: "2-digit", minute: "2-digit", second: step < 6e4 ? "2-digit" : undefined });
  const found = [];
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to; at += step) found.push({ at, text: format.format(at) });
  return found;
}
