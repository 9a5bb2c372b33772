// What a Worker costs that does nothing.
export default {
  fetch() {
    return new Response("Brie, Comté, Roquefort.")
  }
}
