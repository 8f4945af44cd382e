// Calm: what many events ask for is done at once, then now and then while more of them come.

const PAUSE_MS = 300;

// Returns a function that has `act` done, never twice at a time; what is asked for meanwhile is done once, after a pause.
export function calmly(act) {
  let busy = false, asked = false;
  return async () => {
    asked = true;
    if (busy) return;
    busy = true;
    try {
      while (asked) {
        asked = false;
        await act();
        await new Promise((done) => { setTimeout(done, PAUSE_MS); });
      }
    } finally {
      busy = false;
    }
  };
}
