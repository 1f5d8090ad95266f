// Starts the page.

import { render } from "preact";
import { App } from "./app.tsx";
import { createStore } from "./store.ts";
import { restoreTheme } from "./theme.tsx";

restoreTheme();
const store = createStore();
store.start();
const page = document.getElementById("page");
if (page !== null) render(<App store={store} />, page);
