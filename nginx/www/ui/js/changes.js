// Tells the view that is shown that campaigns are not what they were: whoever changed them may have done so from another one.

/** Campaigns have changed. */
export const changed = () => dispatchEvent(new Event("campaignschanged"));

/** Calls `act` whenever they have. */
export const whenChanged = (act) => addEventListener("campaignschanged", act);
