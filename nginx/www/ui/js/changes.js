// Notifies the current view that campaigns have changed, possibly by an action of another view.

/** Notifies that campaigns have changed. */
export const changed = () => dispatchEvent(new Event("campaignschanged"));

/** Calls `act` whenever campaigns have changed. */
export const whenChanged = (act) => addEventListener("campaignschanged", act);
