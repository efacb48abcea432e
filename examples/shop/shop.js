// What a shop's own code tells the tracker. It works before the tracker is there, and without it.
window.t = window.t || Object.assign(function () { arguments.t = Date.now(); window.t.q.push(arguments); }, { q: [] });
const tell = (...call) => window.t(...call);

for (const button of document.querySelectorAll("[data-add]")) {
  button.addEventListener("click", () => {
    const { add: sku, price } = button.dataset;
    tell("event", "cart_add", { value: price, currency: "EUR", items: [{ sku, price, quantity: 1 }] });
  });
}

const purchase = document.querySelector("#purchase");
if (purchase) {
  const order = new URLSearchParams(location.search).get("order") || `demo-${Date.now()}`;
  tell("event", "purchase", { order_id: order, value: purchase.dataset.value, currency: purchase.dataset.currency });
}

for (const button of document.querySelectorAll("[data-go]")) {
  button.addEventListener("click", () => {
    history.pushState({}, "", button.dataset.go);
    document.title = button.textContent;
    document.querySelector("#place").textContent = button.textContent;
  });
}

const broken = document.querySelector("[data-break]");
if (broken) broken.addEventListener("click", () => { throw new Error("broken on purpose"); });

const depth = document.querySelector("#depth");
if (depth) for (let line = 1; line <= 120; line++) depth.append(Object.assign(document.createElement("p"), { textContent: `Line ${line} of the price history` }));
