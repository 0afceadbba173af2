import { render } from "preact";
import { keepDigits } from "./client/json";
import { listenToKeys } from "./state/keys";
import { setThemeOfAddress, shareToken, sharedRun, takeTokens } from "./state/share-link";
import { Announcer } from "./views/announcer";
import { EmbedPage, NoToken } from "./views/embed-page";

function Embed() {
  const token = shareToken.value;
  return (
    <>
      {token ? <EmbedPage key={token} id={sharedRun()} token={token} /> : <NoToken />}
      <Announcer />
    </>
  );
}

const root = document.getElementById("app");
if (!root) throw new Error("embed.html has no #app");
keepDigits();
setThemeOfAddress();
takeTokens();
listenToKeys();
render(<Embed />, root);
