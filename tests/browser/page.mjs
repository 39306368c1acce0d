// Looks at the status page as people do, and uses its form. Run as `node page.mjs URL FOLDER`; pictures go to the
// folder, and what was found is one JSON object on standard output.
import { chromium } from "playwright-core";

const [url, folder] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.VARIATE_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const complaints = [];
const found = { complaints, pages: [] };

async function open(width, scheme, javaScriptEnabled) {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: scheme,
    javaScriptEnabled,
  });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) {
      complaints.push(`asked elsewhere: ${request.url()}`);
    }
  });
  await page.goto(url);
  return page;
}

// How much wider than the window the page is, and the smallest letters.
async function measure(page, name) {
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
  found.pages.push({ name, ...(await page.evaluate(() => ({
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    smallestText: Math.min(...[...document.querySelectorAll("body *")]
      .filter((one) => one.innerText && one.children.length === 0)
      .map((one) => parseFloat(getComputedStyle(one).fontSize))),
    back: getComputedStyle(document.body).backgroundColor,
  }))) });
}

async function decide(page) {
  await page.getByLabel("Flag or experiment").fill("search");
  await page.getByLabel("User id").fill("anna");
  await page.getByLabel("Attributes").fill("country=SE\nage=34\nplan=<b>gold</b>");
  await page.getByRole("button", { name: "Decide" }).click();
  await page.waitForSelector("#explanation");
  return {
    decision: await page.locator("#decision").innerText(),
    explanation: await page.locator("#explanation").innerText(),
    attributes: await page.getByLabel("Attributes").inputValue(),
  };
}

const wide = await open(1280, "light", true);
await measure(wide, "wide");
found.decided = await decide(wide);
await measure(wide, "wide-decided");
const phone = await open(400, "light", true);
await measure(phone, "phone");
await decide(phone);
await measure(phone, "phone-decided");
await measure(await open(400, "dark", true), "phone-dark");
// Measuring needs scripts of ours, which still run where the page's own do not.
const plain = await open(1280, "dark", false);
found.decidedWithoutScripts = await decide(plain);
await measure(plain, "wide-dark-without-scripts");
await browser.close();
console.log(JSON.stringify(found));
