// The page's behaviour. Links and forms work without it; this makes them quicker and kinder.
import { Application, Controller } from "../../vendor/stimulus/stimulus.js";
import { ChartController } from "./chart.js";
import { AutosubmitController, MenuController, SelectionController, ThemeController } from "./controls.js";
import { ConfirmController } from "./confirm.js";
import { SearchController } from "./search.js";
import { ToastsController } from "./toasts.js";

const application = Application.start();
application.register("autosubmit", AutosubmitController);
application.register("chart", ChartController);
application.register("confirm", ConfirmController);
application.register("menu", MenuController);
application.register("search", SearchController);
application.register("selection", SelectionController);
application.register("theme", ThemeController);
application.register("toasts", ToastsController);

// Rooms with behaviour of their own load a module after this one and register it here.
window.Patron = { Controller, register: (name, controller) => application.register(name, controller) };
