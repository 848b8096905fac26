/* the light build leaves out subtitles and DRM; what it has is the same */

declare module "hls.js/light" {
  export { default } from "hls.js";
}
